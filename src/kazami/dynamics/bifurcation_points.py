"""Where a diagram changes: between which values the period doubles, chaos begins, a window opens, the orbit is lost."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHAOS, LOST, UNDECIDED = 0, -1, -2
WORDS = {
    "doubling": ("the period doubles", "周期が倍になる"),
    "chaos": ("chaos begins", "カオスが始まる"),
    "window": ("a periodic window opens", "周期的な窓が開く"),
    "lost": ("the orbit is lost", "軌道が失われる"),
    "change": ("the motion changes", "運動が変わる"),
}


@dataclass(frozen=True, slots=True)
class BifurcationPoint:
    """A change between two neighbouring values.

    Attributes:
        kind: ``"doubling"``, ``"chaos"``, ``"window"``, ``"lost"`` or ``"change"``, read towards larger values; a cascade that runs backwards is ``"change"``.
        low: Largest value at which the motion before was seen.
        high: Smallest value at which the motion after was seen.
        before: Its period before; 0 for chaos, -1 where the orbit is lost.
        after: Its period after.
        estimate: For a doubling, where the multipliers of both cycles, carried on in a straight line, pass through one; else the middle.
    """

    kind: str
    low: float
    high: float
    before: int
    after: int
    estimate: float

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends."""
        return self.low, self.high

    def sentence(self, language: str = "en") -> str:
        """Return what happens there in words."""
        return WORDS[self.kind][0 if language == "en" else 1]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {name: getattr(self, name) for name in ("kind", "low", "high", "before", "after", "estimate")}


def bifurcation_points(values: Floats, motions: Integers, exponents: Floats) -> tuple[BifurcationPoint, ...]:
    r"""Return the changes from column to column.

    Args:
        values: The parameter's values, ascending.
        motions: The period at each; 0 for chaos, -1 where the orbit is lost, -2 where nothing is sure. Undecided columns widen the interval around them.
        exponents: The largest exponent per step at each.

    Just below a doubling the cycle's multiplier is :math:`-1 + c\delta` and just above that of the doubled cycle is :math:`1 - c'\delta`, so that
    :math:`e^{p \lambda}` reaches 1 from both sides in a straight line.
    """
    decided = np.flatnonzero(motions != UNDECIDED)
    found = []
    for left, right in pairwise(decided):
        before, after = int(motions[left]), int(motions[right])
        if before != after:
            low, high = float(values[left]), float(values[right])
            estimate = 0.5 * (low + high)
            if before > 0 and after == 2 * before:
                estimate = _estimate(values, motions, exponents, (int(left), int(right)), estimate)
            found.append(BifurcationPoint(_kind(before, after), low, high, before, after, estimate))
    return tuple(found)


def _kind(before: int, after: int) -> str:
    if after == LOST:
        return "lost"
    if after == CHAOS and before != LOST:
        return "chaos"
    if before == CHAOS:
        return "window"
    return "doubling" if before > 0 and after == 2 * before else "change"


def _estimate(values: Floats, motions: Integers, exponents: Floats, between: tuple[int, int], middle: float) -> float:
    """Return where the multipliers of both cycles reach one, if that is between the two columns."""
    ends = []
    for side, step in ((between[0], -1), (between[1], 1)):
        near = [side, side + step]
        if not all(0 <= place < len(values) and motions[place] == motions[side] for place in near):
            continue
        period = int(motions[side])
        x, mu = values[near], np.exp(period * exponents[near])
        if mu[0] <= mu[1] or not np.isfinite(mu).all():
            continue
        ends.append(float(x[0] + (x[0] - x[1]) * (1.0 - mu[0]) / (mu[0] - mu[1])))
    low, high = values[between[0]], values[between[1]]
    inside = [end for end in ends if low <= end <= high and math.isfinite(end)]
    return float(np.mean(inside)) if inside else middle
