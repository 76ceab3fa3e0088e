"""Loss curves of several seeds as one band: the middle one, the lowest and the highest, and where they cease to be numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..records.trace import Floats
from .columns import starts

MOST_COLUMNS = 160  # each shows the median of its steps: the trend, not the batches
NEWEST = 20  # "ends at" is the median of the newest twentieth of the steps


@dataclass(frozen=True, slots=True)
class Band:
    """Some curves, gathered in columns of equal length.

    Attributes:
        steps: The middle step of each column, shape ``(n,)``; the first optimizer step is 1.
        middle: Median over the seeds, NaN where none of them was finite.
        low: The lowest of the seeds.
        high: The highest.
        n_seeds: How many curves there are.
        end: Typical loss at the newest finite steps, NaN where there are none.
        lost: The first step of the last unbroken stretch at which not even half of the seeds is finite, ``None`` where the end is finite.
    """

    steps: Floats
    middle: Floats
    low: Floats
    high: Floats
    n_seeds: int
    end: float
    lost: int | None


def band_of(curves: Sequence[Sequence[float]], n_steps: int | None = None) -> Band | None:
    """Return the band of some loss curves, ``None`` where there is not one loss.

    Args:
        curves: One per seed; a curve that is shorter than the others ended early.
        n_steps: How many steps they might have had; by default as many as the longest has.

    Example:
        >>> band = band_of([[4.0, 2.0, 1.0], [6.0, 2.0, float("nan")]])
        >>> band.middle.tolist(), band.high.tolist(), band.lost
        ([5.0, 2.0, 1.0], [6.0, 2.0, 1.0], None)
    """
    length = max((len(curve) for curve in curves), default=0)
    if not length:
        return None
    losses = np.full((len(curves), max(length, n_steps or 0)), np.nan)
    for place, curve in enumerate(curves):
        losses[place, : len(curve)] = curve
    losses[~np.isfinite(losses)] = np.nan
    first = starts(losses.shape[1], MOST_COLUMNS)
    columns = np.stack([_median(part, axis=1) for part in np.split(losses, first[1:], axis=1)], axis=1)
    ends = np.append(first[1:], losses.shape[1])
    low, high = _reduced(columns, np.fmin), _reduced(columns, np.fmax)
    known = np.isfinite(losses).mean(axis=0) >= 0.5
    lost = None if known[-1] else int(losses.shape[1] - int(np.argmax(known[::-1])) + 1) if known.any() else 1
    finite = _median(losses, axis=0)[known]
    end = float(np.median(finite[-max(1, finite.size // NEWEST) :])) if finite.size else math.nan
    return Band((first + ends + 1) / 2, _median(columns, axis=0), low, high, len(curves), end, lost)


def _reduced(columns: Floats, how: np.ufunc) -> Floats:
    reduced: Floats = how.reduce(columns, axis=0)
    return reduced


def _median(values: Floats, axis: int) -> Floats:
    """Return the median without the NaN; NaN where there is nothing else, and no warning."""
    ordered = np.sort(values, axis=axis)  # NaN go to the end
    n = np.isfinite(values).sum(axis=axis)
    low, high = np.maximum((n - 1) // 2, 0), np.minimum(n // 2, values.shape[axis] - 1)
    picked = [np.take_along_axis(ordered, np.expand_dims(place, axis), axis).squeeze(axis) for place in (low, high)]
    middle: Floats = np.where(n > 0, (picked[0] + picked[1]) / 2, np.nan)
    return middle


def range_of(before: Band | None, after: Band | None, *, headroom: float = 4.0) -> tuple[float, float, bool]:
    """Return the lowest and the highest loss to draw, and whether the axis is logarithmic.

    A curve that runs away would press the other flat, so the axis ends not far above where the curves begin and the changed training is highest. It is
    logarithmic where all losses are positive and span more than a decade.

    Args:
        before: The unchanged training.
        after: The changed one.
        headroom: How far above: this factor on a logarithmic axis, this many tenths of what lies below on a linear one.
    """
    bands = [band for band in (before, after) if band is not None]
    values = np.concatenate([part[np.isfinite(part)] for band in bands for part in (band.low, band.high)])
    if not values.size:
        return 0.0, 1.0, False
    low, high = float(values.min()), float(values.max())
    first = max((float(band.high[np.isfinite(band.high)][0]) for band in bands if np.isfinite(band.high).any()), default=high)
    own = float(np.nanmax(after.high)) if after is not None and np.isfinite(after.high).any() else first
    is_logarithmic = low > 0 and min(high, headroom * first) > 10 * low
    most = max(own, first) * headroom if is_logarithmic else max(own, first) + headroom / 10 * abs(max(own, first) - low)
    high = min(high, most)
    if high <= low:
        high = low + (abs(low) or 1.0)
    return low, high, is_logarithmic
