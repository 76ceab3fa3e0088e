"""Ensembles of small trainings, Iris 4-10-3: kazami's engines beside the plain loop, vmap, torch.compile of it and JAX: ``python benchmarks/ensembles.py``.

JAX is measured if it is installed. Each way begins with the same weights and must give the same losses (and growth of the same vector); then all take turns
in one process. CPU seconds are measured in a process on one core with one thread for everybody, wall seconds in a second one on two cores. The floor is
`kazami.kernels.ceilings`: a step's multiply-adds and its tanh, exp and log at the rates that one core reaches with each alone.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from figures import Figure, median_of, median_ratio, publish

GOALS = {  # of CPU time over that of the other, 1024 members: PERFORMANCE's rows
    ("fused", "JAX", "float32", 0): 1 / 12,
    ("fused", "naive", "float32", 0): 1 / 180,
    ("fused", "JAX", "float64", 0): 1 / 6,
    ("compiled", "JAX", "float32", 0): 1.0,
    ("compiled", "JAX", "float64", 0): 1.0,
    ("fused", "JAX", "float32", 1): 1 / 12,
    ("fused", "JAX", "float64", 1): 1 / 8,
}
AT = 1024  # members that the goals speak of
BEGAN = time.perf_counter()
TANGENT_COST = 2.0  # a step with a tangent over one without, wanted


@dataclass(frozen=True)
class Scope:
    """What is measured: (members, precision, tangents) in turn, rounds, seconds of a turn."""

    cases: tuple[tuple[int, str, int], ...]
    rounds: int
    seconds: float
    with_compilers: bool
    clock: Callable[[], float]
    unit: str


def scope(stage: str, is_quick: bool) -> Scope:
    """Return what a stage measures."""
    clock, unit = (time.process_time, "CPU") if stage == "cpu" else (time.perf_counter, "wall")
    sizes = (64, AT) if is_quick else (1, 64, AT, 16384)
    if stage == "wall":
        sizes = (AT,)
    every = [(n, dtype, k) for k in (0, 1) for dtype in ("float32", "float64") for n in sizes]
    cases = tuple((n, dtype, k) for n, dtype, k in every if not (k and ((n > AT and dtype == "float64") or (n < AT and is_quick))))
    return Scope(cases, 2 if is_quick else 7, 0.05 if is_quick else 0.2, not is_quick and stage == "cpu", clock, unit)


def arms(given, asked: Scope) -> Iterator:
    """Yield the ways for one case; those that are not installed or refuse say so."""
    from ensemble_arms import Jax, Kazami, Naive, Vmap, setup

    from kazami.engines import engine_named

    members, k = given.case.members, given.case.n_tangents
    for engine in ("fused", "compiled") if k else ("fused", "batched", "compiled"):
        reason = "left out" if engine == "compiled" and not (asked.with_compilers and members == AT) else engine_named(engine).refusal(given.job)
        if reason is None:
            yield Kazami(given, engine, k)
            if k:
                yield Kazami(setup(members, given.case.dtype, 0), engine, k)
        elif reason != "left out":
            said(f"{engine}, {given.case}: {reason}")
    if not k and asked.unit == "CPU" and members in (1, AT):
        yield Naive(given)
    if members * k <= AT:
        yield Vmap(given)
    if asked.with_compilers and members == AT and not k:
        yield Vmap(given, is_compiled=True)
    if find_spec("jax"):
        yield Jax(given)


def must_agree(given, arm, found, growths) -> None:
    """End the benchmark where a way computes something else than the plain loop, or another growth than the others."""
    import numpy as np
    from ensemble_arms import Naive

    losses, logs = found
    steps = min(len(losses), 10)
    ends = (0, given.case.members - 1)
    right, _ = Naive(given, ends, steps).go()
    columns = losses[:steps, [0, -1]] if arm.name != "naive loop" else np.repeat(losses[:steps, :1], 2, axis=1)
    if arm.name == "naive loop":
        right = np.repeat(right[:, :1], 2, axis=1)
    tolerance = float(np.finfo(given.case.dtype).eps) ** 0.6
    worst = float(np.abs(columns - right).max() / np.abs(right).max())
    if logs is not None:
        first = np.asarray(logs)[0]
        worst = max(worst, float(np.abs(first - growths.setdefault("first", first)).max() / np.abs(first).max()))
    if not worst <= tolerance:
        raise SystemExit(f"{arm.name} does not compute the same ({given.case}): relative difference {worst:.1e}.")


def turns(given, asked: Scope) -> dict[str, list[float]]:
    """Return for each way the seconds of a replica-step in each round."""
    ready, growths, calls = [], {}, {}
    for arm in arms(given, asked):
        began = time.perf_counter()
        try:
            found = arm.go()
        except Exception as reason:
            if not arm.name.startswith("torch.compile"):
                raise
            said(f"{arm.name}, {given.case}: {str(reason).splitlines()[0]}")
            continue
        compiled = time.perf_counter() - began
        must_agree(given, arm, found, growths)
        began = time.perf_counter()
        arm.go()  # it is warm now
        calls[arm.name] = max(1, int(asked.seconds / (time.perf_counter() - began)))
        ready.append(arm)
        said(f"{arm.name}, {given.case.members} members, {given.case.dtype}, {given.case.n_tangents} tangents: first call {compiled:.1f} s")
    seconds: dict[str, list[float]] = {arm.name: [] for arm in ready}
    for _ in range(asked.rounds if given.case.members <= AT else min(asked.rounds, 3)):
        for arm in ready:
            began = asked.clock()
            arm.go(calls[arm.name])
            members = 1 if arm.name == "naive loop" else given.case.members
            seconds[arm.name].append((asked.clock() - began) / (calls[arm.name] * arm.steps * members))
    return seconds


def stage(name: str, is_quick: bool) -> list[Figure]:
    """Measure one stage in this process."""
    from ensemble_arms import setup

    from kazami.kernels.ceilings import ceilings
    from kazami.lab.bench_trainings import iris_training

    asked, found = scope(name, is_quick), []
    limits = {dtype: ceilings(dtype, ("tanh", "exp", "log")) for dtype in ("float32", "float64")} if find_spec("llvmlite") else {}
    if not find_spec("jax"):
        said("JAX is not installed: its figures are left out.")
    for members, dtype, k in asked.cases:
        given = setup(members, dtype, k)
        seconds = turns(given, asked)
        floor = limits[dtype].seconds(iris_training().counts(4 if dtype == "float32" else 8, k)) if limits else None
        found += case_figures(seconds, f"{members} members, {dtype}{', 1 tangent' if k else ''}", (members, dtype, k), asked, floor)
    return found


def case_figures(seconds: dict[str, list[float]], what: str, key: tuple[int, str, int], asked: Scope, floor: float | None) -> Iterator[Figure]:
    """Yield rates, shares of the floor and ratios of one case."""
    members, dtype, k = key
    for name, each in seconds.items():
        yield median_of(f"{name}: {what}", [1.0 / one for one in each], f"replica-steps per {asked.unit} second")
        if floor is not None and asked.unit == "CPU" and (name == "fused" or name.startswith("JAX")):
            yield median_of(f"{name}, share of the floor: {what}", [floor / one for one in each], "ratio", note=f"floor {1 / floor:.3g} replica-steps/s")
    if "fused without tangent" in seconds:
        goal = TANGENT_COST if members == AT and asked.unit == "CPU" else None
        yield median_ratio(f"{asked.unit} time, fused with one tangent / without: {what}", seconds["fused"], seconds["fused without tangent"], goal=goal)
    peers = {"JAX": "JAX, jit(vmap) in scan", "naive": "naive loop", "vmap": "vmap, eager", "torch.compile": "torch.compile of vmap"}
    for engine in ("fused", "compiled", "batched"):
        for short, peer in peers.items():
            if engine in seconds and peer in seconds:
                goal = GOALS.get((engine, short, dtype, k)) if members == AT and asked.unit == "CPU" else None
                note = f"{short} takes {statistics.median(seconds[peer]) / statistics.median(seconds[engine]):.3g} x as long"
                yield median_ratio(f"{asked.unit} time, {engine} / {short}: {what}", seconds[engine], seconds[peer], goal=goal, note=note)


def said(words: str) -> None:
    """Tell the user, not the pipe."""
    print(words, file=sys.stderr, flush=True)


def staged(name: str, is_quick: bool) -> list[Figure]:
    """Measure one stage in a process of its own: on one core with one thread, or on two."""
    cores = sorted(os.sched_getaffinity(0))[: 1 if name == "cpu" else 2] if hasattr(os, "sched_getaffinity") else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1" if name == "cpu" else "2"}
    if name == "cpu":
        environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    with tempfile.TemporaryDirectory() as place:
        into = Path(place) / "figures.json"
        words = [sys.executable, __file__, "--stage", name, "--into", str(into), "--cores", ",".join(map(str, cores)), *(["--quick"] if is_quick else [])]
        subprocess.run(words, check=True, env=environment)
        return [Figure(**line) for line in json.loads(into.read_text(encoding="utf-8"))]


def main() -> int:
    """Measure both stages and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds, nothing that compiles for long, no wall times, nothing kept")
    parser.add_argument("--stage", choices=("cpu", "wall"), help=argparse.SUPPRESS)
    parser.add_argument("--into", help=argparse.SUPPRESS)
    parser.add_argument("--cores", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stage:
        if asked.cores:
            os.sched_setaffinity(0, {int(core) for core in asked.cores.split(",")})
        figures = stage(asked.stage, asked.quick)
        said(f"{asked.stage}: {time.process_time():.0f} CPU seconds, {time.perf_counter() - BEGAN:.0f} s")
        Path(asked.into).write_text(json.dumps([asdict(figure) for figure in figures]), encoding="utf-8")
        return 0
    figures = staged("cpu", asked.quick) + ([] if asked.quick else staged("wall", False))
    return publish("ensembles", figures, is_quick=asked.quick)


if __name__ == "__main__":
    sys.exit(main())
