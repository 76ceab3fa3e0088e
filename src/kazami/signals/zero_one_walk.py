"""The 0-1 test for chaos; it cannot tell chaos from noise, and so is never used alone."""

import numpy as np
from numpy.typing import NDArray

from .series import checked

Floats = NDArray[np.float64]
MOST_STEPS = 5000
N_FREQUENCIES = 100
DAMPING = 2.5


def zero_one(series: Floats, *, frequencies: int = N_FREQUENCIES, seed: int = 0, damped: bool = False) -> float:
    r"""Return the growth K of a walk driven by the series: about 0 for regular motion, about 1 for chaos, **and about 1 for noise**.

    The series drives :math:`p_c(t) = \sum_{s \le t} x_s \cos cs`, :math:`q_c(t) = \sum_{s \le t} x_s \sin cs`; their mean square displacement grows with time
    for chaos and stays bounded for regular motion. K is the median over c of its correlation with time.

    Args:
        series: Shape ``(n,)``; the last 5 000 steps are used. A densely sampled signal must be thinned to about its decorrelation time first.
        frequencies: How many values of c, drawn from (π/5, 4π/5).
        seed: Seed of that draw.
        damped: Whether to damp the resonances more (2.5 times the damping of Gottwald and Melbourne's equation 3.5), for series with observational noise.

    Returns:
        K, between -1 and 1; 0 for a constant.

    Raises:
        TooShort: With fewer than 100 steps.

    Limits:
        White noise gives 0.998: only `determinism` tells a rule from chance.

    References:
        Gottwald and Melbourne 2009, equations 3.1 to 3.6 (correlation method).

    Example:
        >>> x = [0.4]
        >>> for _ in range(1999):
        ...     x.append(3.9 * x[-1] * (1 - x[-1]))
        >>> zero_one(np.array(x)) > 0.99, abs(zero_one(np.cos(2 * np.arange(2000.0)))) < 0.1
        (True, True)
    """
    values = checked(series, least=100)[-MOST_STEPS:]
    if float(np.ptp(values)) <= 0:
        return 0.0
    rng = np.random.default_rng(seed)
    mean = float(values.mean())
    return float(np.median([_growth(values, mean, c, damped) for c in rng.uniform(np.pi / 5, 4 * np.pi / 5, frequencies)]))


def _growth(values: Floats, mean: float, c: float, damped: bool) -> float:
    """Return the correlation with time of the mean square displacement at one c, its oscillating term taken out."""
    n = values.size
    walk = np.cumsum(values * np.exp(1j * c * np.arange(1, n + 1)))
    lags = np.arange(1, n // 10 + 1)
    used = n - lags[-1]
    displaced = np.array([float(np.mean(np.abs(walk[lag : lag + used] - walk[:used]) ** 2)) for lag in lags])
    oscillation = mean**2 * (1 - np.cos(lags * c)) / (1 - np.cos(c))
    growth = displaced - oscillation
    if damped:
        growth = growth + DAMPING * mean**2 * np.sin(np.sqrt(2.0) * lags)
    spread = float(np.std(growth))
    return float(np.corrcoef(lags, growth)[0, 1]) if spread > 0 else 0.0
