"""Recurrence quantification: how often a series comes back, and how much of that lies on lines."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .embedding import delay_vectors

Floats = NDArray[np.float64]
MOST_VECTORS = 1500


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Numbers of a recurrence plot.

    Attributes:
        rate: Share of pairs of times (not nearer than ``apart``) whose states are within ``radius``.
        determinism: Share of those on diagonal lines of at least two: stretches that run in parallel.
        laminarity: Share of those on vertical lines of at least two: states that last.
        longest_line: Length of the longest diagonal, in steps.
        entropy: Shannon entropy of the lengths of the diagonals, in nats.
        radius: The distance that counted, in units of the series.
    """

    rate: float
    determinism: float
    laminarity: float
    longest_line: int
    entropy: float
    radius: float


def recurrence(series: Floats, *, dimension: int = 1, delay: int = 1, radius: float | None = None, rate: float | None = None, apart: int = 1) -> Recurrence:
    """Return the recurrence rate, determinism and laminarity of a series (its last 1 500 delay vectors).

    Args:
        series: Shape ``(n,)``.
        dimension: Length of the delay vectors.
        delay: Delay between their entries, in steps.
        radius: What counts as the same state (maximum norm, units of the series); a tenth of the standard deviation where left out.
        rate: The recurrence rate to choose the radius for, instead of a radius.
        apart: Pairs nearer in time than this do not count (the main diagonal).

    Returns:
        A `Recurrence`.

    Raises:
        TooShort: With fewer than 20 delay vectors.

    Limits:
        Smooth noise has long diagonals too: determinism in this sense is no proof of a rule. Compare it with that of surrogates.

    References:
        Marwan, Romano, Thiel and Kurths 2007, equations 3, 46 to 54.

    Example:
        >>> recurrence(np.array([0.0, 1.0, 3.0] * 40)).determinism
        1.0
        >>> recurrence(np.random.default_rng(0).standard_normal(800)).determinism < 0.2
        True
    """
    vectors = delay_vectors(series, dimension, delay)[-MOST_VECTORS:]
    gaps = np.zeros((vectors.shape[0], vectors.shape[0]))
    for column in vectors.T:
        np.maximum(gaps, np.abs(column[:, None] - column[None, :]), out=gaps)
    upper = np.triu_indices(vectors.shape[0], k=max(apart, 1))
    if rate is not None:
        radius = float(np.quantile(gaps[upper], rate))
    elif radius is None:
        radius = 0.1 * float(np.std(series))
    near = gaps <= radius
    count = int(near[upper].sum())
    diagonals = np.concatenate([_runs(np.diagonal(near, k)) for k in range(max(apart, 1), vectors.shape[0])])
    near[np.abs(np.subtract.outer(np.arange(vectors.shape[0]), np.arange(vectors.shape[0]))) < max(apart, 1)] = False
    verticals = np.concatenate([_runs(column) for column in near.T])
    lines = diagonals[diagonals >= 2]
    shares = np.unique(lines, return_counts=True)[1] / max(lines.size, 1)
    return Recurrence(
        rate=count / max(upper[0].size, 1),
        determinism=float(lines.sum() / max(count, 1)),
        laminarity=float(verticals[verticals >= 2].sum() / max(verticals.sum(), 1)),
        longest_line=int(diagonals.max(initial=0)),
        entropy=float(-np.sum(shares * np.log(shares))) + 0.0,
        radius=radius,
    )


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the lengths of the runs of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return edges[1::2] - edges[::2]
