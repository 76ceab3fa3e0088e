"""How fast each engine is on this machine: replica-steps per second, beside the floor of the machine, results compared with the plain loop first."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..engines import AbstractEngine, AbstractEnsemble, Job, Member, engine_named
from ..errors import KazamiError
from ..kernels import why_not
from ..kernels.ceilings import Ceilings, Counts, ceilings
from ..records import Sentence
from ..registry import plugins
from .bench_trainings import BenchTraining, bench_trainings

REFERENCE = "eager"
WINDOW = 10  # steps between two Gram–Schmidts, and of the comparison with the plain loop
REPEATS = 3  # the fastest counts: what disturbs only makes slower
SEEDS, RATES = 64, 16  # distinct ones among the members, so that a large ensemble is quickly made
CONSTANT = Sentence(
    "one member after another: as many replica-steps per second whatever the number of members.", "1 つずつ順に計算するため、本数によらず同じ速さです。"
)
STARTS_SLOWLY = Sentence("it takes longer to start than a quick look should; measured without --quick.", "起動に時間がかかるため、--quick では測りません。")
NEEDS_ADDRESS = Sentence(
    "it needs an address: --engine cluster:local:2 or --engine cluster:tcp://host:port.",
    "接続先が必要です: --engine cluster:local:2 または --engine cluster:tcp://host:port",
)
OUT_OF_TIME = Sentence("out of time.", "時間切れです。")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What is measured.

    Attributes:
        members: Sizes of the ensembles.
        seconds: That one repeat of a row should take.
        patience: Seconds that the fewest steps of a row may take.
        dtypes: Precisions.
        tangents: Numbers of deviation vectors.
        limit: Seconds after which no further row is begun.
        slow: Engines that take longer to start than their rows are worth in a quick look.
    """

    members: tuple[int, ...] = (1, 64, 1024, 16384)
    seconds: float = 0.3
    patience: float = 20.0
    dtypes: tuple[str, ...] = ("float32", "float64")
    tangents: tuple[int, ...] = (0, 1)
    limit: float = float("inf")
    slow: tuple[str, ...] = ()


FULL = BenchPlan()
QUICK = BenchPlan(members=(1, 64, 1024), seconds=0.05, patience=1.0, limit=22.0, slow=("compiled", "processes"))


@dataclass(frozen=True, slots=True)
class BenchCase:
    """What one row is measured on: training, precision, number of deviation vectors, number of members."""

    training: str
    dtype: str
    n_tangents: int
    members: int


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One engine on one case.

    Attributes:
        engine: Its name.
        case: What it ran.
        start_seconds: Wall time from nothing to the end of the first steps, compiling included (what was compiled for an earlier row is found again).
        steps: Of each member, in the repeat that counts.
        per_cpu_second: Replica-steps per second of CPU time, of all threads and processes together; ``None`` where other processes' time cannot be read.
        per_wall_second: Replica-steps per second.
        fraction: Of the floor of one core that one CPU-second reached; ``None`` without ceilings.
        difference: Largest relative difference from the plain loop, of losses and growth, in the first steps of the first and last member.
    """

    engine: str
    case: BenchCase
    start_seconds: float
    steps: int
    per_cpu_second: float | None
    per_wall_second: float
    fraction: float | None
    difference: float


@dataclass(frozen=True, slots=True)
class BenchGap:
    """A row that is not there, and why; ``case`` is ``None`` where it holds for all."""

    engine: str
    case: BenchCase | None
    reason: Sentence


@dataclass(slots=True)
class BenchResult:
    """What was measured.

    Attributes:
        rows: One for each engine and case that ran.
        gaps: What did not run, and why.
        ceilings: By precision what one core reached; empty where nothing can be compiled.
        floors: By (training, precision, number of deviation vectors) the replica-steps per second of the floor.
        threads: Threads that PyTorch uses; kernels use as many as there are cores.
        is_complete: ``False`` after Ctrl-C.
    """

    rows: list[BenchRow] = field(default_factory=list)
    gaps: list[BenchGap] = field(default_factory=list)
    ceilings: dict[str, Ceilings] = field(default_factory=dict)
    floors: dict[tuple[str, str, int], float] = field(default_factory=dict)
    threads: int = 1
    is_complete: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for a JSON document."""
        return {
            "schema": 1,
            "complete": self.is_complete,
            "torch": torch.__version__,
            "threads": self.threads,
            "unit": "replica-steps per second",
            "ceilings": [asdict(found) for found in self.ceilings.values()],
            "floors": [{"training": key[0], "dtype": key[1], "n_tangents": key[2], "per_cpu_second": rate} for key, rate in self.floors.items()],
            "rows": [_flat(row) for row in self.rows],
            "gaps": [_flat(gap) for gap in self.gaps],
        }


def bench(
    engines: Sequence[str] = (), plan: BenchPlan = FULL, *, trainings: Sequence[BenchTraining] | None = None, progress: Progress | None = None
) -> BenchResult:
    """Measure the engines; Ctrl-C keeps the rows that are done.

    Args:
        engines: Names, ``"cluster:local:2"`` among them; by default all but the cluster.
        plan: What is measured.
        trainings: On what; `bench_trainings` by default.
        progress: Called with the number of rows done, and of all.

    Raises:
        UnknownName: There is no such engine.
    """
    found = BenchResult(threads=torch.get_num_threads())
    names = list(engines) or _usual_engines(plan, found)
    made = {name: engine_named(name) for name in names}
    began = time.perf_counter()
    try:
        _measure(made, plan, tuple(trainings or bench_trainings()), found, progress, lambda: time.perf_counter() - began > plan.limit)
    except KeyboardInterrupt:
        found.is_complete = False
    return found


def _usual_engines(plan: BenchPlan, found: BenchResult) -> list[str]:
    names = [kind.name for kind in plugins("kazami.engines", AbstractEngine)]
    names.sort(key=lambda name: (name != REFERENCE, name))
    found.gaps += [BenchGap(name, None, STARTS_SLOWLY) for name in names if name in plan.slow]
    if "cluster" in names:
        found.gaps.append(BenchGap("cluster", None, NEEDS_ADDRESS))
    return [name for name in names if name != "cluster" and name not in plan.slow]


def _measure(
    made: dict[str, AbstractEngine],
    plan: BenchPlan,
    trainings: tuple[BenchTraining, ...],
    found: BenchResult,
    progress: Progress | None,
    is_late: Callable[[], bool],
) -> None:
    known = {each.name: each for each in trainings}
    bundles = list(product(known, plan.tangents, plan.dtypes, made))
    total, done = len(bundles) * len(plan.members), 0
    for name, n_tangents, dtype, engine in bundles:
        floor = _floor(known[name], dtype, n_tangents, found)
        for row in _rows(made[engine], engine, known[name], BenchCase(name, dtype, n_tangents, 0), plan, is_late):
            if isinstance(row, BenchRow):
                found.rows.append(replace(row, fraction=None if floor is None or row.per_cpu_second is None else row.per_cpu_second / floor))
            else:
                found.gaps.append(row)
        done += len(plan.members)
        if progress is not None:
            progress(done, total)


def _floor(training: BenchTraining, dtype: str, n_tangents: int, found: BenchResult) -> float | None:
    """Return the replica-steps per second of one core at the floor; ceilings are measured on first use."""
    if why_not() is not None:
        return None
    if dtype not in found.ceilings:
        found.ceilings[dtype] = ceilings(dtype, ("tanh", "exp", "log"))
    key = (training.name, dtype, n_tangents)
    if key not in found.floors:
        counts: Counts = training.counts(getattr(torch, dtype).itemsize, n_tangents)
        found.floors[key] = 1.0 / found.ceilings[dtype].seconds(counts)
    return found.floors[key]


def _rows(engine: AbstractEngine, name: str, on: BenchTraining, case: BenchCase, plan: BenchPlan, is_late: Callable[[], bool]) -> Iterator[BenchRow | BenchGap]:
    """Yield the rows of one engine, from few members to many."""
    rate = None
    for count in plan.members:
        this = replace(case, members=count)
        if name == REFERENCE and count > 1:
            if count == max(plan.members):
                yield BenchGap(name, this, CONSTANT)
            continue
        if is_late():
            yield BenchGap(name, this, OUT_OF_TIME)
            continue
        if rate is not None and WINDOW * count / rate > plan.patience:
            wait = f"{WINDOW * count / rate:.0f}"
            yield BenchGap(name, this, Sentence(f"{WINDOW} steps would take about {wait} s.", f"{WINDOW} ステップに約 {wait} 秒かかります。"))
            continue
        row = _row(engine, name, on, this, plan)
        rate = row.per_wall_second if isinstance(row, BenchRow) else rate
        yield row


def _row(engine: AbstractEngine, name: str, on: BenchTraining, case: BenchCase, plan: BenchPlan) -> BenchRow | BenchGap:
    """Return one row, or why there is none: a refusal, an error, or another result than the plain loop's."""
    began = time.perf_counter()
    job = job_of(on, case)
    together: AbstractEnsemble | None = None
    try:
        reason = engine.refusal(job)
        if reason is not None:
            return BenchGap(name, case, Sentence(reason, reason))
        together = engine.open(job)
        carried = Carried(together, case)
        first = carried.go(WINDOW)
        start = time.perf_counter() - began
        difference = _difference(first, _reference(on, case))
        if not difference <= _tolerance(case.dtype):
            return BenchGap(name, case, _not_the_same(difference))
        steps, cpu, wall = _timed(carried, plan)
        per_cpu = case.members * steps / cpu if cpu > 0.0 and _is_heard(engine, name) else None
        return BenchRow(name, case, start, steps, per_cpu, case.members * steps / wall, None, difference)
    except Exception as error:  # whatever an engine does, the others are still to be measured
        said = (str(error).strip().splitlines() or [""])[0][:300]
        words = said if isinstance(error, KazamiError) else f"{type(error).__name__}: {said}"
        return BenchGap(name, case, Sentence(words, words))
    finally:
        if together is not None:
            together.close()


def job_of(on: BenchTraining, case: BenchCase) -> Job:
    """Return the ensemble of a case: seeds and learning rates in turn, those of the first and last member unlike."""
    rates = np.geomspace(*on.rates, RATES)
    members = tuple(Member(number % SEEDS, {"learning_rate": float(rates[number % RATES])}) for number in range(case.members))
    return Job(on.training, members, getattr(torch, case.dtype), on.training.steps, case.n_tangents)


class Carried:
    """An ensemble with its deviation vectors, if the case has any.

    Args:
        together: The ensemble.
        case: What it runs.
    """

    def __init__(self, together: AbstractEnsemble, case: BenchCase) -> None:
        """Draw the first vectors, the same for all members."""
        self._together, self._vectors = together, None
        if case.n_tangents:
            dimension = together.states.shape[1]
            drawn = np.random.default_rng(0).normal(size=(dimension, case.n_tangents))
            one = torch.tensor(np.linalg.qr(drawn)[0], dtype=getattr(torch, case.dtype))
            self._vectors = one.expand(case.members, -1, -1).contiguous()

    def go(self, steps: int) -> tuple[Tensor, Tensor | None]:
        """Take ``steps`` steps; return the losses, and the logarithms of growth of each window if there are vectors."""
        if self._vectors is None:
            return self._together.advance(steps), None
        grown = self._together.advance_with_tangents(self._vectors, steps, every=WINDOW)
        self._vectors = grown.vectors
        return grown.losses, grown.logs


def _reference(on: BenchTraining, case: BenchCase) -> tuple[Tensor, Tensor | None]:
    """Return what the plain loop gives for the first and the last member."""
    job = job_of(on, case)
    ends = replace(job, members=(job.members[0], job.members[-1]), known={})
    together = engine_named(REFERENCE).open(ends)
    found = Carried(together, replace(case, members=2)).go(WINDOW)
    together.close()
    return found


def _not_the_same(difference: float) -> Sentence:
    return Sentence(
        f"its losses differ from the plain loop's by {difference:.1e} in {WINDOW} steps: what is wrong is not timed.",
        f"{WINDOW} ステップの損失が通常のループと {difference:.1e} 異なります。誤った計算の速さは測りません。",
    )


def _difference(found: tuple[Tensor, Tensor | None], wanted: tuple[Tensor, Tensor | None]) -> float:
    worst = 0.0
    for mine, right in zip(found, wanted, strict=True):
        if mine is None or right is None:
            continue
        ends = torch.stack([mine[:, 0], mine[:, -1]], dim=1).double()
        worst = max(worst, float((ends - right.double()).abs().max() / right.double().abs().max()))
    return worst


def _tolerance(dtype: str) -> float:
    """Return what rounding may do in a few steps that are not chaotic."""
    return float(torch.finfo(getattr(torch, dtype)).eps ** 0.6)


def _timed(carried: Carried, plan: BenchPlan) -> tuple[int, float, float]:
    """Return steps, CPU seconds and wall seconds of the best of several repeats, each of whole windows and about as long as asked for."""
    steps, best = WINDOW, _once(carried, WINDOW)
    if best[1] >= plan.seconds:
        best = min(best, _once(carried, WINDOW), key=lambda once: once[1])  # the second window may have compiled something, too
    while best[1] < plan.seconds:
        wanted = int(1.2 * plan.seconds / max(best[1], 1e-9) * steps)
        steps = WINDOW * -(-max(2 * steps, min(wanted, 8 * steps)) // WINDOW)
        best = _once(carried, steps)
    runs = [best, *(_once(carried, steps) for _ in range(REPEATS - 1 if best[1] < plan.patience else 0))]
    return steps, min(cpu for cpu, _ in runs), min(wall for _, wall in runs)


def _once(carried: Carried, steps: int) -> tuple[float, float]:
    cpu, wall = cpu_seconds(), time.perf_counter()
    losses, _ = carried.go(steps)
    taken = time.perf_counter() - wall
    if not bool(torch.isfinite(losses[-1]).all()):
        raise ArithmeticError("a member diverged, and is no work any more")
    return cpu_seconds() - cpu, taken


def cpu_seconds() -> float:
    """Return the CPU time of this process, its threads and all that it started, as far as the system tells."""
    return time.process_time() + sum(_time_of(process) for process in _descendants(os.getpid()))


def _is_heard(engine: AbstractEngine, name: str) -> bool:
    """Tell whether the CPU time of all that works for an engine can be read here."""
    return engine.is_automatic or (Path(f"/proc/{os.getpid()}/task").is_dir() and not name.startswith("cluster:tcp"))


def _descendants(process: int) -> Iterator[int]:
    try:
        children = [int(word) for task in Path(f"/proc/{process}/task").iterdir() for word in (task / "children").read_text(encoding="ascii").split()]
    except OSError:  # no such file system, or the process has just ended
        return
    for child in children:
        yield child
        yield from _descendants(child)


def _time_of(process: int) -> float:
    try:
        words = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, the 14th and 15th of all


def _flat(row: BenchRow | BenchGap) -> dict[str, Any]:
    found = {**asdict(row)}
    if isinstance(row, BenchGap):
        found["reason"] = row.reason.en
    return {"engine": found.pop("engine"), **(found.pop("case") or {}), **found}
