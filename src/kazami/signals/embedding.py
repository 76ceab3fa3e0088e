"""Delay vectors of a series and their neighbours that are not neighbours in time."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .robust import autocorrelation
from .series import checked

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def delay_vectors(series: Floats, dimension: int, delay: int = 1) -> Floats:
    r"""Return the delay vectors :math:`(x_t, x_{t+\tau}, \dots, x_{t+(m-1)\tau})`.

    Args:
        series: Shape ``(n,)``.
        dimension: Their length m.
        delay: The delay τ, in steps.

    Returns:
        Shape ``(n - (m - 1) τ, m)``, in the order of time.

    Raises:
        TooShort: If there is not a single one.

    References:
        Takens 1981.

    Example:
        >>> delay_vectors(np.arange(5.0), 2, delay=2).tolist()
        [[0.0, 2.0], [1.0, 3.0], [2.0, 4.0]]
    """
    series = checked(series, least=(dimension - 1) * delay + 1)
    rows = series.size - (dimension - 1) * delay
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(series, (rows, dimension), (series.strides[0], delay * series.strides[0])))


def decorrelation_time(series: Floats, longest: int | None = None) -> int:
    """Return the first lag at which the autocorrelation falls to 1/e, in steps, at least 1: the usual delay for a densely sampled signal.

    Args:
        series: Shape ``(n,)``.
        longest: Largest answer; a tenth of the series where left out.

    Example:
        >>> decorrelation_time(np.cos(2 * np.pi * np.arange(1000) / 40))
        8
        >>> decorrelation_time(np.random.default_rng(0).standard_normal(1000))
        1
    """
    series = checked(series, least=20)
    longest = max(series.size // 10, 1) if longest is None else longest
    below = np.flatnonzero(autocorrelation(series, longest)[1:] <= np.exp(-1))
    return int(below[0]) + 1 if below.size else longest


def neighbours(vectors: Floats, at: Indices, count: int, *, apart: int, until: int) -> tuple[Floats, Indices]:
    """Return the nearest vectors of those at the times ``at`` which are more than ``apart`` steps away in time and not later than ``until``.

    Args:
        vectors: Shape ``(n, m)``, in the order of time.
        at: The times asked for, shape ``(q,)``.
        count: How many neighbours each.
        apart: The Theiler window, in steps: nearer in time does not count.
        until: First time that may not be a neighbour (its future is not known).

    Returns:
        Distances (maximum norm; infinite where there are too few) and times, both of shape ``(q, count)``.

    References:
        Theiler 1986.
    """
    tree = cKDTree(vectors[:until])
    wanted = min(count + 2 * apart + 1, until)
    distances, times = tree.query(vectors[at], k=wanted, p=np.inf)
    distances, times = np.asarray(distances).reshape(at.size, wanted), np.asarray(times).reshape(at.size, wanted)
    distances = np.where(np.abs(times - at[:, None]) <= apart, np.inf, distances)
    order = np.argsort(distances, axis=1, kind="stable")[:, :count]
    near, when = np.take_along_axis(distances, order, 1), np.take_along_axis(times, order, 1)
    if near.shape[1] < count:
        missing = ((0, 0), (0, count - near.shape[1]))
        near, when = np.pad(near, missing, constant_values=np.inf), np.pad(when, missing)
    return near, when.astype(np.int64)
