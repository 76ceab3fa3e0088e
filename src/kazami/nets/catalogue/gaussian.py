r"""Averages over a standard normal input, :math:`\mathbb E\,g(z)` with :math:`z \sim N(0, 1)`: what gains are made of."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

REACH = 13.0  # the normal density is 1e-37 there
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_PANEL = 0.5
_DEEPEST = 40
_MOST_PANELS = 20_000  # a noisy integrand never settles


def gaussian_mean(g: Callable[[Floats], Floats], breaks: Iterable[float] = (), *, deviation: float = 1.0) -> float:
    r"""Return :math:`\mathbb E\,g(\sigma z) = \int g(\sigma z)\,\tfrac{1}{\sqrt{2\pi}}e^{-z^2/2}\,dz` by Gauss–Legendre quadrature.

    The panels are split at the breaks of ``g``, and halved wherever two rules disagree, so kinks that were not named are found as well.

    Args:
        g: Takes and returns arrays.
        breaks: Where ``g`` or a derivative of it jumps.
        deviation: :math:`\sigma`, larger than 0.

    Returns:
        The mean, to about 14 digits; infinite where ``g`` grows faster than the density falls.

    References:
        Any text on adaptive quadrature, e.g. Davis and Rabinowitz 1984, chapter 6.

    Example:
        >>> round(gaussian_mean(lambda z: np.maximum(z, 0.0) ** 2, [0.0]), 14)
        0.5
    """
    cuts = [at / deviation for at in breaks if abs(at) < REACH * deviation]
    edges = np.unique(np.concatenate([np.arange(-REACH, REACH + _PANEL / 2, _PANEL), np.asarray(cuts, dtype=np.float64)]))

    def panel_sums(low: Floats, high: Floats) -> Floats:
        half = 0.5 * (high - low)
        z = (low + half)[:, None] + half[:, None] * _NODES
        density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        with np.errstate(all="ignore"):
            values = g((z * deviation).reshape(-1)).reshape(z.shape)
            return np.asarray(half * (values * density * _WEIGHTS).sum(axis=1))

    low, high = edges[:-1], edges[1:]
    total, coarse = 0.0, panel_sums(low, high)
    size = float(np.abs(coarse).sum())
    if not np.isfinite(size):
        return float(coarse.sum())
    for _ in range(_DEEPEST):
        middle = 0.5 * (low + high)
        left, right = panel_sums(low, middle), panel_sums(middle, high)
        fine = left + right
        is_settled = ~(np.abs(fine - coarse) > 2e-15 * np.abs(fine) + 1e-17 * size)
        total += float(fine[is_settled].sum())
        open_ = ~is_settled
        if not open_.any() or int(open_.sum()) > _MOST_PANELS:
            return total + float(fine[open_].sum())
        low, high = np.concatenate([low[open_], middle[open_]]), np.concatenate([middle[open_], high[open_]])
        coarse = np.concatenate([left[open_], right[open_]])
    return total + float(coarse.sum())
