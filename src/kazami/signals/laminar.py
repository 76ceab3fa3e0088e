"""Laminar phases: stretches in which a series nearly repeats itself, between bursts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .embedding import decorrelation_time
from .series import checked

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
TOLERANCE = 0.1
LONG = 8
RESOLVED = 5.0  # steps between maxima from which the series counts as a sampled flow


@dataclass(frozen=True, slots=True)
class LaminarPhases:
    """The laminar phases of a series.

    Attributes:
        period: The number of steps after which it nearly repeats itself within them.
        lengths: Their lengths in steps, shape ``(k,)``, those of eight periods or more.
        starts: Where they begin, shape ``(k,)``.
        share: Share of all steps within them.
        n_bursts: How often one ended.
    """

    period: int
    lengths: Indices
    starts: Indices
    share: float
    n_bursts: int

    @property
    def mean_length(self) -> float:
        """Mean length in steps; 0 where there is none."""
        return float(self.lengths.mean()) if self.lengths.size else 0.0


def laminar_phases(series: Floats, *, period: int | None = None, tolerance: float = TOLERANCE) -> LaminarPhases:
    r"""Return the stretches of at least eight periods in which :math:`|x_{t+p} - x_t|` stays below ``tolerance`` standard deviations.

    An unstable orbit is left exponentially fast, so that ordinary chaos stays near one for a few periods only; near a vanished or weakly unstable orbit it
    stays long (Pomeau and Manneville 1980).

    Args:
        series: Shape ``(n,)``; its transient should be cut.
        period: The period p in the laminar phases; the one with the largest share where left out (1 to 150, for a densely sampled signal from two
            decorrelation times).
        tolerance: How near a repeat must be, in standard deviations of the series.

    Returns:
        The `LaminarPhases`.

    Raises:
        TooShort: With fewer than 100 steps.

    Example:
        >>> x = [0.5]
        >>> for _ in range(9999):
        ...     x.append((1 + 8**0.5 - 1e-4) * x[-1] * (1 - x[-1]))
        >>> phases = laminar_phases(np.array(x))
        >>> phases.period % 3, phases.n_bursts > 20
        (0, True)
    """
    values = checked(series, least=100)
    spread = float(np.std(values))
    if period is not None:
        return _phases(values, period, tolerance * spread)
    first = max(2 * decorrelation_time(values), round(0.8 * _cycle(values))) if _is_smooth(values) else 1
    tried = [_phases(values, p, tolerance * spread) for p in range(first, min(max(min(150, values.size // 30), first), values.size // 2) + 1)]
    return max([*tried, *_between_maxima(values, tolerance)], key=lambda phases: (round(phases.share, 2), -phases.period))


def _is_smooth(values: Floats) -> bool:
    """Return whether a series is a densely sampled flow: no step crosses a third of its range, or successive increments resemble each other (their
    correlation is above 1/2, while a jump stands alone). In a flow two values that follow each other are near each other everywhere, which is no laminar phase.
    """
    hops = np.diff(values)
    return bool(float(np.abs(hops).max()) < 0.35 * float(np.ptp(values)) or float(np.mean(np.diff(hops) ** 2)) < float(np.mean(hops**2)))


def _cycle(values: Floats) -> float:
    """Return the mean number of steps between two upward crossings of the mean; 0 where there are fewer than two."""
    above = values > values.mean()
    upward = np.flatnonzero(~above[:-1] & above[1:])
    return float(upward[-1] - upward[0]) / (upward.size - 1) if upward.size > 1 else 0.0


def _between_maxima(values: Floats, tolerance: float) -> list[LaminarPhases]:
    """Return the laminar phases of the sequence of maxima of a sampled flow (its return map), in steps of the series."""
    when, heights = maxima(values)
    if when.size < 60 or (when[-1] - when[0]) / (when.size - 1) < RESOLVED:
        return []
    found = []
    for p in range(1, min(12, when.size // 20) + 1):
        phases = _phases(heights, p, tolerance * float(np.std(heights)))
        starts = when[phases.starts]
        ends = when[np.minimum(phases.starts + phases.lengths, when.size - 1)]
        spacing = round(p * (when[-1] - when[0]) / (when.size - 1))
        found.append(LaminarPhases(spacing, ends - starts, starts, phases.share, phases.n_bursts))
    return found


def maxima(series: Floats) -> tuple[Indices, Floats]:
    """Return the times and the heights of the local maxima, each height that of the parabola through its three points.

    Example:
        >>> when, heights = maxima(np.cos(2 * np.pi * (np.arange(50) - 0.3) / 10))
        >>> when.tolist(), heights.round(2).tolist()
        ([10, 20, 30, 40], [1.0, 1.0, 1.0, 1.0])
    """
    values = checked(series, least=3)
    before, at, after = values[:-2], values[1:-1], values[2:]
    top = np.flatnonzero((at > before) & (at >= after))
    bend = before[top] - 2 * at[top] + after[top]
    return top + 1, at[top] - (after[top] - before[top]) ** 2 / (8 * bend)


def _phases(values: Floats, period: int, tolerance: float) -> LaminarPhases:
    near = np.abs(values[period:] - values[:-period]) < tolerance
    edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts + period
    long = lengths >= (LONG + 1) * period  # a stretch of k near repeats is k + 1 periods long
    n_bursts = int(np.sum(ends[long] < near.size))
    return LaminarPhases(period, lengths[long], starts[long], float(lengths[long].sum() / values.size), n_bursts)
