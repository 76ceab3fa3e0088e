"""How well the future follows from the past: by neighbours, and by a linear rule."""

import numpy as np
from numpy.typing import NDArray

from .embedding import delay_vectors, neighbours
from .series import checked

Floats = NDArray[np.float64]
MOST_QUESTIONS = 400
TRIM = 0.9
LINEAR_LAGS = 16


def local_prediction_error(
    series: Floats, *, dimension: int = 2, delay: int = 1, horizon: int = 1, apart: int | None = None, linear: bool = True, kept: float = TRIM
) -> float:
    r"""Return the error of predicting a series from its nearest neighbours, in units of the series.

    The future :math:`x_{t+h}` is predicted by a local linear fit over the futures of the nearest delay vectors of another time (or their mean).

    Args:
        series: Shape ``(n,)``.
        dimension: Length of the delay vectors.
        delay: Delay between their entries, in steps.
        horizon: How far to predict, in steps.
        apart: Neighbours must be more than this many steps away in time; the delay where left out.
        linear: Whether to fit a plane through the neighbours, else take their mean.
        kept: Share of the errors that counts, the smallest first.

    Returns:
        Root mean square of the errors, the largest tenth left out if not said otherwise; compare it with :func:`linear_prediction_error` at the same horizon.

    Raises:
        TooShort: If there are fewer than 4 neighbours for every coefficient.

    Limits:
        In many dimensions the neighbours of a short series are far away, and the error of a deterministic series is large.

    References:
        Farmer and Sidorowich 1987; Sugihara and May 1990.

    Example:
        >>> x = [0.3]
        >>> for _ in range(999):
        ...     x.append(3.9 * x[-1] * (1 - x[-1]))
        >>> local_prediction_error(np.array(x), dimension=1) < 0.001 < 0.1 < linear_prediction_error(np.array(x))
        True
    """
    span = (dimension - 1) * delay
    count = 2 * dimension + 6 if linear else 3
    series = checked(series, least=span + horizon + 4 * count)
    apart = delay if apart is None else apart
    vectors = delay_vectors(series, dimension, delay)
    until = vectors.shape[0] - horizon
    at = np.unique(np.linspace(0, until - 1, min(MOST_QUESTIONS, until)).astype(np.int64))
    near, when = neighbours(vectors, at, count, apart=apart, until=until)
    futures = series[when + span + horizon]
    is_there = np.isfinite(near)
    predicted = _planes(vectors, at, when, is_there, futures) if linear else np.average(futures, axis=1, weights=is_there + 1e-300)
    return trimmed(predicted - series[at + span + horizon], kept)


def _planes(vectors: Floats, at: NDArray[np.int64], when: NDArray[np.int64], is_there: NDArray[np.bool_], futures: Floats) -> Floats:
    """Return the value at each question of the plane fitted through its neighbours (ridge: 1e-6 of the neighbours' spread)."""
    weights = is_there[:, :, None].astype(np.float64)
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    offsets = vectors[when] - vectors[at][:, None, :]
    middle = (weights * offsets).sum(axis=1, keepdims=True) / total
    level = (weights[:, :, 0] * futures).sum(axis=1, keepdims=True) / total[:, :, 0]
    x, y = weights * (offsets - middle), weights[:, :, 0] * (futures - level)
    gram = np.einsum("qki,qkj->qij", x, x)
    ridge = 1e-6 * np.trace(gram, axis1=1, axis2=2) / gram.shape[1] + 1e-300
    gram += ridge[:, None, None] * np.eye(gram.shape[1])
    slopes = np.linalg.solve(gram, np.einsum("qki,qk->qi", x, y)[:, :, None])[:, :, 0]
    result: Floats = level[:, 0] - np.einsum("qi,qi->q", slopes, middle[:, 0])
    low, high = futures.min(axis=1), futures.max(axis=1)
    reach = high - low
    return np.clip(result, low - reach, high + reach)


def linear_prediction_error(series: Floats, *, horizon: int = 1, lags: int = LINEAR_LAGS, delay: int = 1, kept: float = TRIM) -> float:
    """Return the error of the best linear prediction from the last ``lags`` values (and, with a delay, from as many delayed ones), in units of the series.

    Args:
        series: Shape ``(n,)``.
        horizon: How far to predict, in steps.
        lags: How many values; at most a tenth of the steps are used.
        delay: Delay between the further ones.
        kept: Share of the errors that counts, the smallest first.

    Returns:
        Root mean square of the errors, the largest tenth left out if not said otherwise, corrected for the number of coefficients.

    Raises:
        TooShort: If the series has fewer than 40 steps more than the horizon.

    Example:
        >>> x = np.sin(0.3 * np.arange(200))
        >>> linear_prediction_error(x) < 1e-9
        True
    """
    series = checked(series, least=horizon + 40)
    lags = max(min(lags, (series.size - horizon) // 20), 1)
    places = np.unique(np.concatenate([np.arange(lags), delay * np.arange(min(lags, 8))]))
    places = places[places < series.size // 4]
    last = np.arange(int(places.max()), series.size - horizon)
    table = np.column_stack([series[last - place] for place in places] + [np.ones(last.size)])
    table[:, :-1] -= series.mean()
    wanted = series[last + horizon] - series.mean()
    coefficients = np.linalg.lstsq(table, wanted, rcond=1e-13)[0]
    spare = max(last.size - table.shape[1], 1)
    return trimmed(table @ coefficients - wanted, kept) * float(np.sqrt(last.size / spare))


def trimmed(errors: Floats, kept: float = TRIM) -> float:
    """Return the root mean square of all but the largest, a tenth if not said otherwise."""
    squares = np.sort(errors * errors)
    return float(np.sqrt(np.mean(squares[: max(int(kept * squares.size), 1)])))


def best_local(series: Floats, *, delay: int, horizon: int, apart: int, dimensions: tuple[int, ...] = (1, 2, 3, 4, 6)) -> tuple[float, int, bool]:
    """Return the smallest local prediction error over dimensions and both kinds of fit, with the dimension and the kind."""
    tried = []
    for dimension in dimensions:
        if (dimension - 1) * delay + horizon + 4 * (2 * dimension + 6) > series.size:
            continue
        for linear in (True, False):
            error = local_prediction_error(series, dimension=dimension, delay=delay, horizon=horizon, apart=apart, linear=linear)
            tried.append((error, dimension, linear))
    return min(tried)
