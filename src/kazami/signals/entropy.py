"""Permutation entropy: how evenly the orders of neighbouring values are spread."""

from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from .embedding import delay_vectors
from .series import checked

Floats = NDArray[np.float64]


def order_patterns(series: Floats, *, order: int = 3, delay: int = 1) -> dict[tuple[int, ...], float]:
    """Return the probability of each order of ``order`` values; equal values keep the order of time.

    Args:
        series: Shape ``(n,)``.
        order: How many values, 2 to 8.
        delay: Delay between them, in steps.

    Returns:
        Pattern to probability, forbidden ones included with 0. The pattern (0, 1, 2) is "rising"; its k-th entry is the rank of the k-th value.

    Example:
        >>> order_patterns(np.arange(9.0), order=2)
        {(0, 1): 1.0, (1, 0): 0.0}
    """
    ranks = np.argsort(np.argsort(delay_vectors(checked(series), order, delay), axis=1, kind="stable"), axis=1)
    codes = ranks @ (order ** np.arange(order))
    found, counts = np.unique(codes, return_counts=True)
    share = dict(zip(found.tolist(), (counts / codes.size).tolist(), strict=True))
    return {pattern: share.get(int(np.dot(pattern, order ** np.arange(order))), 0.0) for pattern in permutations(range(order))}


def permutation_entropy(series: Floats, *, order: int = 3, delay: int = 1, normalised: bool = True) -> float:
    r"""Return the entropy of the order patterns, :math:`H = -\sum_\pi p_\pi \log_2 p_\pi`.

    Args:
        series: Shape ``(n,)``.
        order: How many values make a pattern, 2 to 8.
        delay: Delay between them, in steps.
        normalised: Whether to divide by its largest value, log2 of ``order`` factorial, else in bits.

    Returns:
        0 for a monotone series, 1 (normalised) for white noise.

    Raises:
        TooShort: If there are fewer than five patterns for every possible one.

    Limits:
        Ties (rounded data) count as rising. It measures disorder, not its cause: noise is the most disordered.

    References:
        Bandt and Pompe 2002.

    Example:
        >>> permutation_entropy(np.arange(100.0))
        0.0
        >>> 0.99 < permutation_entropy(np.random.default_rng(0).random(5000)) <= 1
        True
    """
    checked(series, least=5 * factorial(order) + (order - 1) * delay)
    p = np.array([share for share in order_patterns(series, order=order, delay=delay).values() if share > 0])
    bits = float(-np.sum(p * np.log2(p))) + 0.0
    return bits / float(np.log2(factorial(order))) if normalised else bits
