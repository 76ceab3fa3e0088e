"""How a series settles: its range over time, whether it dies away, runs away or was lively before it went quiet."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .laminar import TOLERANCE, laminar_phases
from .periods import period
from .robust import rolling_median
from .series import checked

Floats = NDArray[np.float64]
WINDOWS = 12
ROUNDING = 64 * float(np.finfo(float).eps)


def ranges(series: Floats, windows: int = WINDOWS) -> Floats:
    """Return the range (largest minus smallest value) of each of ``windows`` equal parts, in the order of time.

    Example:
        >>> ranges(np.arange(24.0), 3).tolist()
        [7.0, 7.0, 7.0]
    """
    values = checked(series, least=windows)
    return np.array([float(np.ptp(part)) for part in np.array_split(values, windows)])


def is_constant(series: Floats) -> bool:
    """Return whether a series never moved, but for rounding in the last digits.

    Example:
        >>> is_constant(np.full(10, 2.3)), is_constant(np.array([2.3, 2.3, 2.31]))
        (True, False)
    """
    values = checked(series)
    return float(np.ptp(values)) <= ROUNDING * float(np.max(np.abs(values)))


def dies_away(series: Floats) -> bool:
    """Return whether the range shrinks from window to window to the end (or to rounding): a decay, with or without ringing, that goes on.

    Limits:
        The approach to a limit cycle shrinks too, but not to less than 0.6 of its range in the second half; a decay into noise ends in the noise and is seen
        by comparing the noise with the way travelled.

    Example:
        >>> t = np.arange(600)
        >>> dies_away(np.exp(-t / 150) * np.cos(t)), dies_away(np.cos(t))
        (True, False)
    """
    values = checked(series, least=2 * WINDOWS)
    floor = ROUNDING * float(np.max(np.abs(values)))
    sizes = np.maximum(ranges(values[values.size // 3 :], 8), floor)
    is_falling = bool(np.all(sizes[1:] <= np.maximum(1.02 * sizes[:-1], 2 * floor)))
    early, late = np.log(sizes[0] / sizes[3]), np.log(sizes[3] / sizes[-1])
    goes_on = bool(np.all(sizes[1:] < sizes[:-1])) and sizes[-1] < 0.7 * sizes[0] and late > 0.5 * early  # a power law, however slow
    return is_falling and bool(sizes[-1] < 0.6 * sizes[3] or sizes[-1] <= floor or goes_on)


def runs_away(series: Floats) -> bool:
    """Return whether the last window leaves everything before it more than tenfold behind, growing to the end.

    Example:
        >>> runs_away(np.exp(0.1 * np.arange(200))), runs_away(np.arange(200.0))
        (True, False)
    """
    values = checked(series, least=2 * WINDOWS)
    centre = float(np.median(values[: values.size // 2]))
    sizes = np.array([float(np.max(np.abs(part - centre))) for part in np.array_split(values, WINDOWS)])
    return bool(sizes[-1] > 10 * sizes[: (2 * WINDOWS) // 3].max() and sizes[-1] > sizes[-2] > sizes[-3])


@dataclass(frozen=True, slots=True)
class Travel:
    """How far a series travelled, against its noise.

    Attributes:
        way: Range of the smoothed series.
        noise: Standard deviation of the last third around its straight line.
        noise_on_the_way: The same of the first third, from its second differences.
        slowing: Slope of the last third over that of the first: below 1 where the way comes to an end.
    """

    way: float
    noise: float
    noise_on_the_way: float
    slowing: float

    @property
    def ratio(self) -> float:
        """Noise over way; infinite where there was no way."""
        return max(self.noise, self.noise_on_the_way) / self.way if self.way > 0 else float("inf")


def travel(series: Floats) -> Travel:
    """Return how far a series travelled, against its noise.

    Example:
        >>> t = np.arange(900)
        >>> rng = np.random.default_rng(0)
        >>> travel(np.exp(-t / 100) + 0.002 * rng.standard_normal(900)).ratio < 0.01 < 0.1 < travel(rng.standard_normal(900)).ratio
        True
    """
    values = checked(series, least=30)
    third = values.size // 3
    steps = np.arange(third, dtype=np.float64)
    last = values[-third:]
    line, first_line = np.polyfit(steps, last, 1), np.polyfit(steps, values[:third], 1)
    rest = last - np.polyval(line, steps)
    slowing = abs(float(line[0])) / max(abs(float(first_line[0])), 1e-300)
    smooth = rolling_median(values, 5)
    bends = values[2 : third + 2] - 2 * values[1 : third + 1] + values[:third]
    return Travel(float(np.ptp(smooth)), float(np.std(rest)), float(1.4826 * np.median(np.abs(bends)) / np.sqrt(6)), slowing)


def lively_head(series: Floats) -> int:
    """Return for how many steps a series was lively before it went quiet for good; 0 where it was not, or never went quiet.

    The head ends with the last of 40 windows whose range is more than half the median of the lively ones.

    Example:
        >>> x = np.concatenate([np.random.default_rng(0).random(400), np.full(400, 0.5)])
        >>> 380 <= lively_head(x) <= 420
        True
    """
    values = checked(series, least=80)
    parts = np.array_split(np.arange(values.size), 40)
    sizes = ranges(values, 40)
    lively = sizes > 0.3 * float(np.median(np.sort(sizes)[-8:]))
    if not lively.any():  # nearly all of it stands still
        return 0
    last = int(np.flatnonzero(lively)[-1])
    if last >= 38 or lively[: last + 1].mean() < 0.7:
        return 0
    return int(parts[last][-1]) + 1


@dataclass(frozen=True, slots=True)
class Head:
    """What came before a series settled.

    Attributes:
        steps: How long it was.
        period: Of the cycle that it settled into; 1 for rest.
    """

    steps: int
    period: int


def unsettled_head(series: Floats) -> Head | None:
    """Return what came before a series settled for good, at rest or into a cycle; ``None`` where nothing did, or it has not settled.

    It has settled into the cycle of its last quarter since the last step whose return was farther off than a tenth of its standard deviation, and farther than
    any in that quarter. A quiet end that is not twice as long as the longest quiet stretch before it, or whose returns grow worse, is no settling: in an
    intermittent series such a phase ends again.

    Example:
        >>> x = np.concatenate([np.random.default_rng(0).random(400), np.tile([0.2, 0.9, 0.4], 200)])
        >>> found = unsettled_head(x)
        >>> 395 <= found.steps <= 400, found.period
        (True, 3)
        >>> unsettled_head(np.tile([0.2, 0.9, 0.4], 200)) is None
        True
    """
    values = checked(series, least=120)
    tail = values[-values.size // 4 :]
    returned = period(tail, longest=tail.size // 6)
    head = Head(lively_head(values), 1) if returned is None else Head(_last_miss(values, returned.steps, tail.size), returned.steps)
    return head if head.steps > 0 and _is_for_good(values, head) else None


def _last_miss(values: Floats, steps: int, n_tail: int) -> int:
    """Return the step after the last one that does not come back after ``steps``, as far as every one of the last ``n_tail`` does."""
    gaps = np.abs(values[steps:] - values[:-steps])
    misses = np.flatnonzero(gaps > max(TOLERANCE * float(np.std(values)), 1.5 * float(gaps[-n_tail + steps :].max())))
    return int(misses[-1]) + 1 if misses.size else 0


def _is_for_good(values: Floats, head: Head) -> bool:
    rest = values[head.steps :]
    gaps = np.abs(rest[head.period :] - rest[: -head.period])
    thirds = [float(part.max(initial=0.0)) for part in np.array_split(gaps, 3)]
    grows = thirds[2] > 1.2 * thirds[1] and thirds[2] > ROUNDING * float(np.max(np.abs(values)))
    if grows or head.steps < 100:
        return not grows
    longest = laminar_phases(values[: head.steps], period=head.period).lengths.max(initial=0)
    return bool(rest.size > 2 * longest)
