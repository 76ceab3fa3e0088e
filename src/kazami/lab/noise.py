"""Where the difference between two trainings comes from: seeds, the data's order, dropout and sampling, threads, and growth of tiny differences."""

import copy
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from ..maps import Training
from ..maps.training import untouched_randomness
from ..records import Sentence
from .unfrozen import unfrozen

Source = Literal["weights", "order", "masks", "threads", "tiny"]
SOURCES: tuple[Source, ...] = get_args(Source)
NAMES: dict[str, Sentence] = {
    "nothing": Sentence("nothing (the same training again)", "なし（同じ学習をもう一度）"),
    "weights": Sentence("seed of the first weights", "初期重みのシード"),
    "order": Sentence("order of the data", "データの順序"),
    "masks": Sentence("dropout and sampling", "ドロップアウトとサンプリング"),
    "threads": Sentence("threads and kernels (1 or 2)", "スレッドとカーネル（1 または 2）"),
    "tiny": Sentence("a tiny difference in the weights (1e-12, or one unit of rounding)", "重みの微小な差（1e-12、または丸め 1 単位）"),
    "all": Sentence("all of them", "すべて"),
}
TINY = 1e-12
STREAM = 1000  # seeds of one step do not meet those of another


@dataclass(frozen=True, slots=True)
class NoiseRow:
    """What one source does.

    Attributes:
        source: Its name, a key of ``NAMES``.
        weights: Distance of the trained weights over their own length, root mean square over the replicas, when this source alone varies.
        outputs: Distance of the answers over their spread, likewise.
        loss: Root mean square difference of the last loss.
        outputs_without: Distance of the answers when all sources but this one vary; NaN for the rows ``nothing`` and ``all``.
    """

    source: str
    weights: float
    outputs: float
    loss: float
    outputs_without: float


@dataclass(frozen=True, slots=True)
class Noise:
    """The sources of difference of one training.

    Attributes:
        rows: One per source, with ``nothing`` first and ``all`` last.
        answers: Distance between two answers of the one trained model over their spread: ``evaluation``, ``training`` mode, ``threads``.
        growth: Mean exponent per step of the tiny difference, up to where it ended; NaN where it stayed nothing.
        steps: Length of the trainings.
        is_complete: Whether all was measured.
    """

    rows: tuple[NoiseRow, ...]
    answers: dict[str, float]
    growth: float
    steps: int
    is_complete: bool

    @property
    def sentence(self) -> Sentence:
        """The finding."""
        from ..reports.numerals import short

        if not all(math.isfinite(row.outputs) for row in self.rows):
            return Sentence(
                f"The training is not finite within {self.steps} steps: what is not a number has no distance, and nothing can be said about its sources.",
                f"学習は {self.steps} ステップ以内に有限でなくなります。数でないものに距離はなく、差の要因については何も言えません。",
            )
        alone = [row for row in self.rows if row.source in SOURCES and row.outputs > 0]
        if not self.is_complete or not alone:
            return (
                Sentence("No source made a difference.", "どの要因でも差は生じませんでした。")
                if self.is_complete
                else Sentence("Interrupted.", "中断されました。")
            )
        first = max(alone, key=lambda row: row.outputs)
        name, size = NAMES[first.source], short(first.outputs)
        return Sentence(
            f"After {self.steps} steps the largest source of difference is: {name.en} (answers differ by {size} of their spread).",
            f"{self.steps} ステップ後の差の最大の原因は「{name.ja}」です（答えの差はその広がりの {size} 倍）。",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, the form of ``--json``."""
        from ..storage.strict_json import plain

        rows: Any = plain([asdict(row) for row in self.rows])
        numbers: Any = plain({"answers": self.answers, "growth": self.growth})
        return {"steps": self.steps, "complete": self.is_complete, "rows": rows, **numbers, "sentence": {"en": self.sentence.en, "ja": self.sentence.ja}}


@dataclass(frozen=True, slots=True)
class _End:
    weights: Tensor
    outputs: Tensor
    loss: float


class _Laboratory:
    """Runs one training again and again with chosen sources varied."""

    def __init__(self, training: Training, steps: int, example: tuple[Any, ...] | None, keywords: dict[str, Any] | None) -> None:
        training = unfrozen(training)
        with untouched_randomness():
            self.first = training.start()
            self.batches = list(islice(training.endless_batches(), steps))
        self.training, self.keywords = training, keywords or {}
        self.example = (self.batches[0][0],) if example is None else example

    def run(self, varied: frozenset[str], replica: int) -> _End:
        """Train with the sources in ``varied`` changed by ``replica``, which is at least 1 for a change."""
        with untouched_randomness(), threads(2 if "threads" in varied and replica % 2 else 1):
            state = self.training.start()
            if "weights" in varied:
                self._other_weights(state.model, replica)
            if "tiny" in varied:
                nudge(state.model, replica)
            order = np.arange(len(self.batches))
            if "order" in varied:
                order = np.random.default_rng(replica).permutation(order)
            scheduler = self.training.scheduler(state.optimizer) if self.training.scheduler else None
            loss = math.nan
            for step, place in enumerate(order):
                seed_all(step + STREAM * STREAM * (replica if "masks" in varied else 0))
                loss = float(self.training.step(state.model, state.optimizer, self.batches[place]))
                if scheduler is not None:
                    scheduler.step()
            return _End(flat_parameters(state.model), self.answers(state.model), loss)

    def answers(self, model: nn.Module, *, is_training: bool = False) -> Tensor:
        """Return the answers of ``model`` to the example, flat."""
        kept = model.training
        model.train(is_training)
        with torch.no_grad():
            found = torch.cat([part.detach().double().reshape(-1) for part in tensors_of(model(*self.example, **self.keywords))])
        model.train(kept)
        return found

    def _other_weights(self, model: nn.Module, replica: int) -> None:
        """Draw other first weights: from the training's own factory where its seed matters, else by every layer's own reset."""
        other = self.training.replaced(seed=self.training.seed + replica).start().model
        if not torch.equal(flat_parameters(other), flat_parameters(self.first.model)):
            model.load_state_dict(other.state_dict())
            return
        seed_all(STREAM + replica)
        for part in model.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()


def noise(
    training: Training,
    *,
    steps: int = 100,
    replicas: int = 2,
    example: tuple[Any, ...] | None = None,
    keywords: dict[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Noise:
    """Return where differences between trainings, and between answers of one model, come from.

    The same training is run again with one source of difference varied and all others frozen, and with all varied but that one. Ctrl-C keeps what was measured.

    Args:
        training: Any training.
        steps: Length of each run.
        replicas: Varied runs per row.
        example: Positional arguments of one forward pass for the answers; the first batch's inputs by default.
        keywords: Keyword arguments of it.
        progress: Called with the number of rows done and their total.

    Limits:
        Nothing that lives outside torch's, NumPy's and Python's generators can be varied or frozen. The order is that of whole batches. Threads are compared on
        this machine's processor: other kernels may differ more.
    """
    lab = _Laboratory(training, steps, example, keywords)
    plan = ["nothing", *SOURCES, "all"]
    rows: list[NoiseRow] = []
    answers: dict[str, float] = {}
    growth = math.nan
    try:
        base = lab.run(frozenset(), 0)
        for source in plan:
            if progress is not None:
                progress(len(rows), len(plan))
            rows.append(_row(lab, base, source, replicas))
        growth = _growth(lab, next(row for row in rows if row.source == "tiny"), steps)
        answers = _answers(lab)
    except KeyboardInterrupt:
        if not rows:
            raise
    return Noise(tuple(rows), answers, growth, steps, bool(answers))


def _row(lab: _Laboratory, base: _End, source: str, replicas: int) -> NoiseRow:
    varied = frozenset(SOURCES) if source == "all" else frozenset() if source == "nothing" else frozenset({source})
    ends = [lab.run(varied, 1 + 2 * replica) for replica in range(replicas)]
    spread = float((base.outputs - base.outputs.mean()).norm()) or 1.0
    without = math.nan
    if source in SOURCES:
        others = [lab.run(frozenset(SOURCES) - {source}, 1 + 2 * replica) for replica in range(replicas)]
        without = _rms([float((end.outputs - base.outputs).norm()) / spread for end in others])
    return NoiseRow(
        source,
        _rms([float((end.weights - base.weights).norm() / base.weights.norm()) for end in ends]),
        _rms([float((end.outputs - base.outputs).norm()) / spread for end in ends]),
        _rms([end.loss - base.loss for end in ends]),
        without,
    )


def _growth(lab: _Laboratory, row: NoiseRow, steps: int) -> float:
    """Return ln(d(T) / d(0)) / T of the relative distance."""
    model = copy.deepcopy(lab.first.model)
    before = flat_parameters(model)
    nudge(model, 1)
    first = float((flat_parameters(model) - before).norm() / before.norm())
    return math.log(row.weights / first) / steps if row.weights > 0 and first > 0 and math.isfinite(row.weights) else math.nan


def _answers(lab: _Laboratory) -> dict[str, float]:
    """Ask one trained model twice: in evaluation mode, in training mode with other random numbers, and with another number of threads."""
    with untouched_randomness():
        model = lab.first.model  # before training: the question is about answers, not about skill
        first = lab.answers(model)
        spread = float((first - first.mean()).norm()) or 1.0
        found = {"evaluation": float((lab.answers(model) - first).norm()) / spread}
        buffers = {name: value.clone() for name, value in model.state_dict().items()}
        drawn = []
        for seed in (1, 2):
            seed_all(seed)
            model.load_state_dict(buffers)
            drawn.append(lab.answers(model, is_training=True))
        model.load_state_dict(buffers)
        found["training"] = float((drawn[0] - drawn[1]).norm()) / spread
        with threads(1):
            one = lab.answers(model)
        with threads(2):
            found["threads"] = float((lab.answers(model) - one).norm()) / spread
    return found


def nudge(model: nn.Module, replica: int) -> None:
    """Move every weight by about 1e-12 of itself, or by one unit of rounding where that is more."""
    generator = torch.Generator().manual_seed(replica)
    with torch.no_grad():
        for parameter in model.parameters():
            wide = parameter.double()
            noisy = wide * (1.0 + TINY * torch.randn(wide.shape, generator=generator, dtype=torch.float64))
            nudged = noisy.to(parameter.dtype)
            # in float32 1e-12 is rounded away: the smallest step that there is, in one direction
            parameter.copy_(nudged if not torch.equal(nudged, parameter) else torch.nextafter(parameter, torch.full_like(parameter, math.inf)))


def _rms(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values) / len(values))


def flat_parameters(model: nn.Module) -> Tensor:
    """Return all parameters in one float64 vector."""
    return torch.cat([parameter.detach().double().reshape(-1) for parameter in model.parameters()])


def tensors_of(value: Any) -> Iterator[Tensor]:
    """Yield the floating-point tensors in an output: a tensor, or a tuple, list, dictionary or dataclass of them."""
    if isinstance(value, Tensor):
        if value.is_floating_point():
            yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from tensors_of(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_of(part)
    elif hasattr(value, "__dict__"):
        yield from tensors_of(vars(value))


def seed_all(seed: int) -> None:
    """Seed torch's, NumPy's and Python's global generators."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with so many threads, and put the number back."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
