r"""The slope of a function of one variable at zero, from its values alone, with an honest error; and whether a claimed slope agrees with it.

Along a line :math:`\varphi(t) = C(\theta + t\,d)` the central difference :math:`c(h) = (\varphi(h) - \varphi(-h)) / 2h` has a truncation error that falls as
:math:`h^2` and a rounding error that grows as :math:`\varepsilon / h`. Several step sizes tell the two apart from a claimed slope that is wrong, whose error
does not change with :math:`h` at all, and from a kink, where the slopes to the right and to the left differ however small the step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

RATIO = 8.0  # a power of two, so that the steps are exact
STEPS = tuple(0.125 * RATIO**-k for k in range(9))  # 0.125 … 7.5e-9 of the typical size of a weight
QUICK = (3, 4, 5)  # 2.4e-4 … 3.8e-6: both errors of a smooth float64 function are far below 1e-6 there
COARSEST_ROUNDING = 100 * 2.0**-23  # relative; what a sum of many float32 numbers may be off by
CAUTION = 4.0  # how many times its own estimated error a slope may be off before that counts

Agreement = Literal["agrees", "differs", "unresolved", "not_finite"]


@dataclass(frozen=True, slots=True)
class ErrorGrowth:
    r"""How the distance between the claimed slope and :math:`c(h)` changes with the step size.

    Attributes:
        steps: :math:`h`, relative to the typical size of a weight, falling.
        errors: :math:`|c(h) - a|`, in units of the loss.
        truncation: Slope of :math:`\log` error against :math:`\log h` where steps are large: about 2 for a right gradient, 0 for a wrong one; NaN where
            there is too little to see.
        rounding: The same where steps are small: about -1 for a right gradient, 0 for a wrong one.
        kind: ``"right"``: the error falls with the step until rounding takes over; ``"flat"``: it does not change with the step, the mark of a wrong gradient;
            ``"unclear"``: neither.
    """

    steps: tuple[float, ...]
    errors: tuple[float, ...]
    truncation: float
    rounding: float
    kind: Literal["right", "flat", "unclear"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the values along one line say about a claimed slope.

    Attributes:
        agreement: ``"agrees"``, ``"differs"``, ``"unresolved"`` (rounding hides the slope), ``"not_finite"``.
        claimed: The claimed slope, in units of the loss per unit of ``t``.
        numeric: The slope from values.
        uncertainty: Its estimated error.
        growth: Error against step size.
        level: Which of ``STEPS`` the slope rests on.
    """

    agreement: Agreement
    claimed: float
    numeric: float
    uncertainty: float
    growth: ErrorGrowth
    level: int = QUICK[1]

    @property
    def difference(self) -> float:
        """Claimed minus numeric."""
        return self.claimed - self.numeric


class Line:
    """The values of a loss along one direction, each computed once.

    Args:
        value_at: ``t -> float``.
        start: The value at 0.
        trusts_scatter: Whether scatter in the values is rounding, whatever its size; not so where the function itself rounds, so that its steps are real.
        digits: Relative precision of the arithmetic.
    """

    def __init__(self, value_at: Callable[[float], float], start: float, *, trusts_scatter: bool = True, digits: float = 2.0**-52) -> None:
        self._value_at = value_at
        self.start = start
        self._trusts_scatter = trusts_scatter
        self._digits = digits
        self._pairs: dict[int, tuple[float, float]] = {}

    def pair(self, level: int) -> tuple[float, float]:
        """Return the values at ``+STEPS[level]`` and ``-STEPS[level]``."""
        if level not in self._pairs:
            self._pairs[level] = (self._value_at(STEPS[level]), self._value_at(-STEPS[level]))
        return self._pairs[level]

    def central(self, level: int) -> float:
        """Return the central difference with step ``STEPS[level]``."""
        right, left = self.pair(level)
        return (right - left) / (2 * STEPS[level])

    def one_sided(self, level: int) -> tuple[float, float]:
        """Return the slopes to the right and to the left."""
        right, left = self.pair(level)
        return (right - self.start) / STEPS[level], (self.start - left) / STEPS[level]

    def bend(self, level: int) -> float:
        r"""Return the second difference :math:`\varphi(h) - 2\varphi(0) + \varphi(-h)`."""
        right, left = self.pair(level)
        return (right - self.start) - (self.start - left)

    @cached_property
    def noise(self) -> float:
        r"""Size of the rounding error of one value, from second differences at the smallest steps.

        There the curvature, :math:`\varphi'' h^2`, is gone (or is taken off with the next larger step), and only rounding remains. Of five sizes the middle one
        counts, since the larger ones may be those of a kink near by.
        """
        floor = 0.5 * self._digits * max(abs(self.start), *(abs(value) for value in self.pair(len(STEPS) - 1)))
        levels = range(len(STEPS) - 5, len(STEPS))
        rests = sorted(min(abs(self.bend(k)), abs(self.bend(k) - self.bend(k - 1) / RATIO**2)) / math.sqrt(6) for k in levels)
        measured = rests[2] if self._trusts_scatter else rests[0]
        if not math.isfinite(measured):
            return math.inf
        return max(floor, measured, self._stair() if self._trusts_scatter else 0.0)

    def _stair(self) -> float:
        """Return the height of the steps in values that were rounded to a grid, 0 where there are none.

        Values that do not change at all where an eighth of their last change was due lie on a grid. One as coarse as float32 makes is rounding; a coarser one
        is the function's own.
        """
        grid = 0.0
        for level in range(1, len(STEPS)):
            change = max(abs(value - self.start) for value in self.pair(level - 1))
            is_still = all(value == self.start for value in self.pair(level))
            if is_still and change / RATIO > 8 * 2.0**-52 * abs(self.start):
                grid = change
                break
        return grid if grid <= COARSEST_ROUNDING * abs(self.start) else 0.0

    def estimates(self) -> list[tuple[float, float]]:
        """Return (slope, uncertainty) for each step size but the largest, by central differences or their extrapolation, whichever is surer."""
        centrals = [self.central(k) for k in range(len(STEPS))]
        extrapolated = [math.nan, *((RATIO**2 * fine - coarse) / (RATIO**2 - 1) for coarse, fine in pairwise(centrals))]
        found = []
        for k in range(1, len(STEPS)):
            rounding = 3 * self.noise / STEPS[k]
            plain = (centrals[k], abs(centrals[k] - centrals[k - 1]) + rounding)
            better = (extrapolated[k], abs(extrapolated[k] - extrapolated[k - 1]) + rounding) if k > 1 else plain
            found.append(min(plain, better, key=lambda estimate: estimate[1] if math.isfinite(estimate[1]) else math.inf))
        return found

    def is_kinked(self) -> bool:
        r"""Tell whether the slopes right and left of 0 differ however small the step.

        Where :math:`\varphi` is smooth the second difference falls as :math:`h^2`, at a kink as :math:`h`, and rounding does not fall at all.
        """
        bends = np.array([abs(self.bend(k)) for k in range(1, 7)])
        if not np.all(np.isfinite(bends)) or np.any(bends <= 0):
            return False
        falls = -np.diff(np.log(bends)) / math.log(RATIO)
        longest = run = 0
        for fall in falls:
            run = run + 1 if 0.8 < fall < 1.2 else 0
            longest = max(longest, run)
        return longest >= 3


def agrees_quickly(line: Line, claimed: float, allowed: float) -> bool:
    """Tell whether one of a few good step sizes, or their extrapolation, gives the claimed slope within ``allowed``; ``False``: look further.

    A wrong claim passes with a chance of about ``allowed`` over the slope itself.
    """
    coarse = line.central(QUICK[1])
    if abs(coarse - claimed) <= allowed:
        return True
    fine = line.central(QUICK[2])
    return abs(fine - claimed) <= allowed or abs((RATIO**2 * fine - coarse) / (RATIO**2 - 1) - claimed) <= allowed


def judge(line: Line, claimed: float, *, size: float, tolerance: float) -> Judgement:
    r"""Say whether ``claimed`` is the slope of ``line`` at 0.

    It agrees if it lies within ``CAUTION`` times the estimated error plus ``tolerance * size`` of the surest estimate. A slope is a limit: where an
    estimate with smaller steps is sure enough to contradict (a kink lies near by), that one holds.

    Args:
        line: Where to measure.
        claimed: In units of the loss.
        size: What a slope along this line is typically like, so that a slope that happens to vanish is judged by its neighbours; same unit.
        tolerance: Relative differences below this are never called wrong, however sure.
    """
    growth = error_growth(line, claimed)
    if not math.isfinite(claimed) or not math.isfinite(line.start):
        return Judgement("not_finite", claimed, line.central(QUICK[1]), math.inf, growth)
    found = [(level, *estimate) for level, estimate in enumerate(line.estimates(), start=1) if all(map(math.isfinite, estimate))]
    if not found:
        return Judgement("not_finite", claimed, math.nan, math.inf, growth)
    level, numeric, uncertainty = _surest(found)
    allowed = tolerance * max(size, abs(claimed), abs(numeric))
    gap = abs(claimed - numeric)
    near = gap <= CAUTION * uncertainty + allowed
    agreement: Agreement = "agrees" if near else "differs"
    if near and CAUTION * uncertainty > 0.5 * max(abs(claimed), abs(numeric)) and abs(claimed) > allowed and gap > allowed:
        agreement = "unresolved"
    return Judgement(agreement, claimed, numeric, uncertainty, growth, level)


def _surest(found: list[tuple[int, float, float]]) -> tuple[int, float, float]:
    """Return of several (level, slope, uncertainty) the surest, or a finer one that contradicts it without doubt."""
    best = min(range(len(found)), key=lambda k: found[k][2])
    chosen = found[best]
    for finer in found[best + 1 :]:
        gap = abs(finer[1] - chosen[1])
        if gap > 2 * CAUTION * (finer[2] + chosen[2]):
            chosen = finer
    return chosen


def error_growth(line: Line, claimed: float, levels: range | tuple[int, ...] = range(len(STEPS))) -> ErrorGrowth:
    """Return how the error changes with the step size."""
    steps = np.array([STEPS[k] for k in levels])
    errors = np.array([abs(line.central(k) - claimed) for k in levels])
    best = int(np.argmin(np.where(np.isfinite(errors), errors, np.inf)))
    turn = min(max(best, 1), len(errors) - 2)  # both sides have two points or more, also where the error never turns
    truncation, rounding = _log_slope(steps[: turn + 1], errors[: turn + 1]), _log_slope(steps[turn:], errors[turn:])
    flat = bool(np.all(np.isfinite(errors)) and np.min(errors[1:]) > 0 and np.max(errors[len(errors) // 3 :]) < 1.5 * np.min(errors[len(errors) // 3 :]))
    falls = truncation > 0.7 or (math.isnan(truncation) and rounding < -0.5)
    kind: Literal["right", "flat", "unclear"] = "flat" if flat else "right" if falls else "unclear"
    return ErrorGrowth(tuple(map(float, steps)), tuple(map(float, errors)), truncation, rounding, kind)


def _log_slope(steps: "np.ndarray", errors: "np.ndarray") -> float:
    """Return the median slope of log error against log step; NaN with fewer than two usable points."""
    usable = np.isfinite(errors) & (errors > 0)
    if usable.sum() < 2:
        return math.nan
    x, y = np.log(steps[usable]), np.log(errors[usable])
    return float(np.median(np.diff(y) / np.diff(x)))
