"""The error of a mean over a correlated series: how far a finite-time exponent may be from its limit."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

BATCHES = 30  # enough for a stable variance; the t quantile below pays for there being few
LEAST_BATCH = 4


def standard_error(local: Floats) -> float:
    r"""Return one standard error of the mean of a stationary series of correlated numbers.

    The larger of two: the spread of the means :math:`\bar x_b` of 30 consecutive batches,

    .. math:: s_1 = \sqrt{\frac{\operatorname{var} \bar x_b}{B}\ \frac{1 + r_1^+}{1 - r_1^+}}\ \frac{t_{0.84}(B - 1)}{z_{0.84}},

    widened where neighbouring batches are still correlated (:math:`r_1^+ = \max(r_1, 0)`) and for the small number of batches; and a quarter of the range of
    the
    bridge :math:`S_t = \sum_{u \le t} (x_u - \bar x)`, divided by :math:`T`. The second says what a bounded oscillation of the sum leaves undecided
    (rotations, cycles), where batch means would promise too much; for independent numbers it is the smaller.

    Args:
        local: The series, shape ``(steps,)``.

    Returns:
        NaN for fewer than 8 numbers, or where one of them is not finite.

    Limits:
        Correlations longer than a thirtieth of the series are seen only in part: no finite series knows what it has not yet visited.

    References:
        Alexopoulos and Seila 1996 (batch means); Glynn and Whitt 1991.

    Example:
        >>> x = np.random.default_rng(0).normal(size=10_000)
        >>> abs(standard_error(x) / 0.01 - 1) < 0.4
        True
    """
    series = np.asarray(local, dtype=float)
    if len(series) < 2 * LEAST_BATCH or not np.isfinite(series).all():
        return math.nan
    return max(_of_batches(series), _of_bridge(series))


def _of_batches(series: Floats) -> float:
    count = min(BATCHES, len(series) // LEAST_BATCH)
    size = len(series) // count
    means = series[len(series) - count * size :].reshape(count, size).mean(axis=1)
    spread = float(means.var(ddof=1))
    if not spread > 0.0:
        return 0.0
    off = means - means.mean()
    correlation = max(float(off[1:] @ off[:-1]) / float(off @ off), 0.0)
    inflation = (1.0 + correlation) / (1.0 - min(correlation, 0.95))
    level = stats.norm.cdf(1.0)
    return math.sqrt(spread / count * inflation) * float(stats.t.ppf(level, count - 1))


def _of_bridge(series: Floats) -> float:
    bridge = np.cumsum(series - series.mean())
    return float(np.ptp(bridge)) / (4.0 * len(series))
