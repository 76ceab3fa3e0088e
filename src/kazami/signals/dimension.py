"""Correlation sum and correlation dimension."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..errors import TooShort
from .embedding import delay_vectors

Floats = NDArray[np.float64]
MOST_VECTORS = 8000
LEAST_PAIRS = 200
LARGEST_SUM = 0.03  # pairs farther apart than this feel the attractor's edge


@dataclass(frozen=True, slots=True)
class Dimension:
    """A correlation dimension and the range of its fit.

    Attributes:
        value: The slope of log C(r) over log r.
        uncertainty: Half the difference of the slopes in the lower and the upper half of the range.
        smallest: Smallest radius of the fit, in units of the series.
        largest: Largest radius of the fit.
    """

    value: float
    uncertainty: float
    smallest: float
    largest: float


def correlation_sum(series: Floats, radii: Floats, *, dimension: int = 2, delay: int = 1, apart: int = 1) -> Floats:
    r"""Return the share of pairs of states within each radius, :math:`C(r) = \langle \Theta(r - \|x_i - x_j\|_\infty) \rangle_{|i-j| > w}`.

    Args:
        series: Shape ``(n,)``; the last 8 000 delay vectors are used. Or states, shape ``(n, coordinates)``.
        radii: Shape ``(k,)``, in units of the series.
        dimension: Length of the delay vectors.
        delay: Delay between their entries, in steps.
        apart: The Theiler window w: pairs not farther apart in time do not count.

    Returns:
        Shape ``(k,)``.

    References:
        Grassberger and Procaccia 1983; Theiler 1986.

    Example:
        >>> correlation_sum(np.arange(1000.0) % 10, np.array([0.5]), dimension=1).round(2).tolist()
        [0.1]
    """
    vectors = _states(series, dimension, delay)
    tree = cKDTree(vectors)
    radii = np.asarray(radii, dtype=np.float64)
    order = np.argsort(radii)
    counts = np.empty(radii.size)
    counts[order] = tree.count_neighbors(tree, radii[order], p=np.inf).astype(np.float64)
    n = vectors.shape[0]
    near_in_time = np.full(radii.size, float(n))
    for lag in range(1, apart + 1):
        gap = np.abs(vectors[lag:] - vectors[:-lag]).max(axis=1)
        near_in_time += 2.0 * np.array([float(np.sum(gap <= radius)) for radius in radii])
    result: Floats = (counts - near_in_time) / ((n - apart) * (n - apart - 1))
    return result


def correlation_dimension(series: Floats, *, dimension: int = 2, delay: int = 1, apart: int = 1) -> Dimension:
    """Return the correlation dimension: the slope of log C(r) over log r between too few pairs and the size of the attractor.

    The fit takes the radii with at least 200 pairs and at most three in a hundred of all pairs; a Theiler window keeps neighbours in time out.

    Args:
        series: Shape ``(n,)``, or states, shape ``(n, coordinates)``.
        dimension: Length of the delay vectors; the answer must not change when it grows.
        delay: Delay between their entries, in steps.
        apart: The Theiler window, in steps; a few decorrelation times for a densely sampled signal.

    Returns:
        A `Dimension`.

    Raises:
        TooShort: If fewer than 500 states are left.

    Limits:
        An evenly rotating phase visits its circle in even gaps, so that C(r) is a staircase and the slope is rough (its uncertainty says so). Noise fills
        every dimension at small radii. n states can show at most about 2 log10 n (Eckmann and Ruelle 1992): 1 000 states no more than 6.

    References:
        Grassberger and Procaccia 1983.

    Example:
        >>> x = np.random.default_rng(0).random(3000)
        >>> bool(abs(correlation_dimension(x, dimension=1).value - 1) < 0.03), bool(abs(correlation_dimension(x, dimension=2).value - 2) < 0.06)
        (True, True)
    """
    vectors = _states(series, dimension, delay)
    if vectors.shape[0] < 500:
        raise TooShort(f"A correlation dimension needs at least 500 states, and there are {vectors.shape[0]}. Record more steps.")
    size = float(np.ptp(vectors, axis=0).max())
    if size <= 0:
        return Dimension(0.0, 0.0, 0.0, 0.0)
    radii = size * np.geomspace(1e-5, 1.0, 61)
    sums = correlation_sum(vectors, radii, apart=apart)
    n_pairs = sums * vectors.shape[0] ** 2 / 2
    fits = (n_pairs >= LEAST_PAIRS) & (sums <= LARGEST_SUM)
    if fits.sum() < 6:  # a few points visited again and again
        return Dimension(0.0, 0.0, float(radii[0]), float(radii[-1]))
    x, y = np.log(radii[fits]), np.log(sums[fits])
    half = x.size // 2
    slopes = [float(np.polyfit(x[part], y[part], 1)[0]) for part in (slice(None), slice(None, half + 1), slice(half, None))]
    return Dimension(slopes[0], abs(slopes[2] - slopes[1]) / 2, float(radii[fits][0]), float(radii[fits][-1]))


def _states(series: Floats, dimension: int, delay: int) -> Floats:
    values = np.asarray(series, dtype=np.float64)
    return (values if values.ndim == 2 else delay_vectors(values, dimension, delay))[-MOST_VECTORS:]
