"""The proof of a learning rate: it and its rivals train again from seeds that nobody has used, by the plain loop."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..maps import Training
from ..maps.training import untouched_randomness
from .range_test import middle_rate, range_test, stability_rate

Floats = NDArray[np.float64]

RESAMPLES = 2000
NAMES = {
    "range_test": ("learning-rate range test", "学習率レンジテスト"),
    "stability": ("2/λmax of the initial weights", "初期重みの 2/λmax"),
}


@dataclass(frozen=True, slots=True)
class Rival:
    """Another way to choose a learning rate, and how it did.

    Attributes:
        name: ``"range_test"`` or ``"stability"``.
        learning_rate: Its choice, the median over the seeds of the ensemble; NaN where it has none.
        time: Median steps to the acceptable result from fresh seeds; infinite if more than half fail.
        reached: Share of the seeds that got there.
        ratio: Its time over that of kazami's choice; above 1 kazami's is faster. NaN where neither gets there.
        interval: 95 % bootstrap interval of the ratio over the seeds.
    """

    name: str
    learning_rate: float
    time: float
    reached: float
    ratio: float
    interval: tuple[float, float]

    @property
    def verdict(self) -> str:
        """``"beaten"``, ``"better"`` (than kazami's choice), ``"equal"`` (not told apart), or ``"none"`` (it has no choice)."""
        if not math.isfinite(self.learning_rate):
            return "none"
        low, high = self.interval
        return "beaten" if low > 1.0 else "better" if high < 1.0 else "equal"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; what is not finite becomes ``None``."""
        numbers = {name: _plain(getattr(self, name)) for name in ("learning_rate", "time", "reached", "ratio")}
        return {"name": self.name, **numbers, "interval": [_plain(end) for end in self.interval], "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Goal:
    """What counts as reached: a score or the negative loss at least ``good``, looked at every ``every`` of ``steps`` steps."""

    good: float
    every: int
    steps: int
    is_score: bool


def times_of(training: Training, rate: float, seeds: range, goal: Goal) -> Floats:
    """Train with ``rate`` from each of ``seeds`` by the plain loop; return the first step at which the goal was reached, infinite if never."""
    return np.array([_time_of(training, rate, seed, goal) for seed in seeds])


def _time_of(training: Training, rate: float, seed: int, goal: Goal) -> float:
    with untouched_randomness():
        state = training.replaced(seed=seed).start()
        factor = rate / float(state.optimizer.param_groups[0]["lr"])
        for group in state.optimizer.param_groups:
            group["lr"] = group["lr"] * factor
            group.pop("initial_lr", None)
        scheduler = training.scheduler(state.optimizer) if training.scheduler else None
        for step, batch in zip(range(goal.steps), training.endless_batches(), strict=False):
            is_look = step % goal.every == 0
            if is_look and training.evaluate is not None and float(training.evaluate(state.model)) >= goal.good:
                return float(step)
            loss = float(training.step(state.model, state.optimizer, batch))
            if scheduler is not None:
                scheduler.step()
            if is_look and not goal.is_score and -loss >= goal.good:
                return float(step)
            if not math.isfinite(loss):
                return math.inf
    return math.inf


def rivals_of(training: Training, seeds: int, chosen: Floats, goal: Goal) -> tuple[Rival, ...]:
    """Return how the range test and the stability limit do from fresh seeds, beside the times ``chosen`` of kazami's choice from the same seeds.

    Both rivals choose on the seeds that kazami's ensemble had.
    """
    trainings = [training.replaced(seed=training.seed + seed) for seed in range(seeds)]
    choices = {
        "range_test": middle_rate([range_test(one).suggestion for one in trainings]),
        "stability": middle_rate([stability_rate(one) for one in trainings]),
    }
    found = []
    for name, rate in choices.items():
        fresh = range(training.seed + seeds, training.seed + seeds + len(chosen))
        times = times_of(training, rate, fresh, goal) if math.isfinite(rate) else np.full(len(chosen), math.inf)
        ratio, interval = compared(times, chosen)
        found.append(Rival(name, rate, middle(times), float(np.isfinite(times).mean()), ratio, interval))
    return tuple(found)


def compared(times: Floats, chosen: Floats) -> tuple[float, tuple[float, float]]:
    """Return the ratio of the medians, and its 95 % bootstrap interval over pairs of seeds.

    Example:
        >>> compared(np.full(8, 32.0), np.full(8, 10.0))  # the first step counts as one
        (3.0, (3.0, 3.0))
    """
    drawn = np.random.default_rng(0).integers(0, len(times), (RESAMPLES, len(times)))
    ratios = _ratio(_middles(times[drawn]), _middles(chosen[drawn]))
    whole = _ratio(np.array([middle(times)]), np.array([middle(chosen)]))[0]
    low, high = np.quantile(ratios, [0.025, 0.975], method="nearest")
    return float(whole), (float(low), float(high))


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return the ratio of steps taken, the step that reaches it included; equal where neither gets there."""
    with np.errstate(invalid="ignore"):
        found = (above + 1.0) / (below + 1.0)
    return np.where(np.isinf(above) & np.isinf(below), 1.0, found)


def middle(times: Floats) -> float:
    """Return the time by which more than half of the seeds have reached it."""
    return float(_middles(times[None])[0])


def _middles(times: Floats) -> Floats:
    return np.asarray(np.sort(times, axis=1)[:, times.shape[1] // 2])


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
