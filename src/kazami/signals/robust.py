"""Robust statistics of a series: slope, noise, outlyingness, turning points."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NORMAL_MAD = 1.4826  # standard deviation of a normal variable over its median absolute deviation
MOST_POINTS = 400
MOST_NUMBERS = 1 << 21


def theil_sen(y: Floats, x: Floats | None = None) -> float:
    """Return the median of the slopes of all pairs of points (Theil 1950, Sen 1968); series longer than 400 are thinned by a fixed stride.

    Example:
        >>> theil_sen(np.array([0.0, 1.0, 2.0, 30.0, 4.0]))
        1.0
    """
    x = np.arange(y.size, dtype=np.float64) if x is None else x
    if y.size < 2:
        return 0.0
    stride = -(-y.size // MOST_POINTS)
    x, y = x[::stride], y[::stride]
    i, j = np.triu_indices(y.size, k=1)
    gap = x[j] - x[i]
    keep = gap != 0
    return float(np.median((y[j] - y[i])[keep] / gap[keep])) if keep.any() else 0.0


def neighbour_noise(y: Floats) -> float:
    """Return the standard deviation of the noise on a smooth curve: the median absolute difference of neighbours, scaled for normal noise.

    Limits:
        An oscillation of period two counts as noise.
    """
    if y.size < 3:
        return 0.0
    return float(NORMAL_MAD * np.median(np.abs(np.diff(y))) / np.sqrt(2.0))


def robust_z(y: Floats) -> Floats:
    """Return how many robust standard deviations each value lies from the median; zero where the series does not vary."""
    centre = np.median(y)
    spread = NORMAL_MAD * np.median(np.abs(y - centre))
    result: Floats = (y - centre) / spread if spread > 0 else np.zeros_like(y)
    return result


def rolling_median(y: Floats, width: int, every: int = 1) -> Floats:
    """Return the median of each window of ``width`` neighbouring values, shape ``(n - width + 1,)``, or of those only that begin at each ``every``-th value."""
    width = max(min(width, y.size), 1)
    windows = np.lib.stride_tricks.sliding_window_view(y, width)[::every]
    many = max(MOST_NUMBERS // width, 1)  # windows at a time: the median copies them
    return np.concatenate([np.median(windows[first : first + many], axis=-1) for first in range(0, len(windows), many)])


def turning_rate(y: Floats) -> float:
    """Return the share of inner points that are local extremes: 2/3 for white noise, 1 for period two, near 0 for a smooth curve."""
    if y.size < 3:
        return 0.0
    rise = np.sign(np.diff(y))
    return float(np.mean(rise[1:] * rise[:-1] < 0))


def autocorrelation(y: Floats, lags: int) -> Floats:
    """Return the autocorrelation of ``y`` at lags 0 to ``lags``, after taking out a straight line; zeros where the series does not vary.

    Example:
        >>> autocorrelation(np.array([1.0, -1.0] * 50), 2).round(1).tolist()
        [1.0, -1.0, 1.0]
    """
    x = np.arange(y.size, dtype=np.float64)
    rest = y - np.polyval(np.polyfit(x, y, 1), x)
    power = float(np.mean(rest * rest))
    if power <= 0:
        return np.zeros(lags + 1)
    return np.array([float(np.mean(rest[: y.size - lag] * rest[lag:])) / power for lag in range(lags + 1)])
