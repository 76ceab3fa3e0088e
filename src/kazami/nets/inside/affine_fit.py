r"""How much of an output's variance the best affine map of the input leaves unexplained, without being flattered by the fit itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Method = Literal["least squares", "per unit", "mean Jacobian", "none"]
CLEAN = 1e-20  # share of variance in float64; an affine map leaves the square of rounding


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A share of variance.

    Attributes:
        share: In [0, 1], but for noise; ``nan`` where it cannot be had.
        standard_error: Of the share, over the rows.
        method: How the affine map was found.
        n_rows: Rows that it was measured on.
    """

    share: float
    standard_error: float
    method: Method
    n_rows: int


def least_squares(inputs: Tensor, outputs: Tensor) -> Unexplained | None:
    r"""Return the share that least squares leaves on rows it has not seen (leave-one-out, exactly), ``None`` with fewer than twice as many rows as unknowns.

    With :math:`h_i` the leverage of row :math:`i`, leaving it out makes its residual :math:`r_i / (1 - h_i)`; no second fit is needed.

    Args:
        inputs: Shape ``(rows, n)``, float64.
        outputs: Shape ``(rows, m)``, float64.

    References:
        Allen 1974, "The relationship between variable selection and data augmentation and a method for prediction" (PRESS).
    """
    n_rows = len(inputs)
    centred = inputs - inputs.mean(0)
    left, sizes, _ = torch.linalg.svd(centred, full_matrices=False)
    left = left[:, sizes > 1e-10 * sizes[:1].clamp_min(torch.finfo(inputs.dtype).tiny)]
    if n_rows < 2 * (left.shape[1] + 1):
        return None
    leverage = 1.0 / n_rows + (left**2).sum(1, keepdim=True)
    target = outputs - outputs.mean(0)
    residual = (target - left @ (left.mT @ target)) / (1 - leverage).clamp_min(1e-12)
    return _share(residual, target * n_rows / (n_rows - 1), "least squares")


def per_unit(inputs: Tensor, outputs: Tensor) -> Unexplained | None:
    """Return the share that a line per unit leaves (leave-one-out), for functions that act on each number alone; ``None`` below four rows."""
    n_rows = len(inputs)
    if n_rows < 4:
        return None
    x, y = inputs - inputs.mean(0), outputs - outputs.mean(0)
    spread = (x**2).sum(0)
    moves = spread > CLEAN * (inputs**2).sum(0)
    safe = torch.where(moves, spread, torch.ones_like(spread))
    slope = (x * y).sum(0) / safe * moves
    leverage = 1.0 / n_rows + x**2 / safe * moves
    residual = (y - slope * x) / (1 - leverage).clamp_min(1e-12)
    return _share(residual, y * n_rows / (n_rows - 1), "per unit")


def mean_jacobian(inputs: Tensor, outputs: Tensor, forward: Callable[[Tensor, Tensor, Tensor], Tensor], chunk: int) -> Unexplained | None:
    r"""Return the share that the mean Jacobian of the *other* rows leaves, for fewer rows than unknowns; ``None`` below three rows.

    For Gaussian inputs the best affine map has the slope :math:`\mathbb{E}[J(x)]` (Stein's lemma), which each row's Jacobian estimates without a bias; for
    others the share is an upper bound, and it is exactly 0 for an affine map. The slope is scaled by the one factor that fits best, which shrinks it where
    it is mostly noise.

    Args:
        inputs: Shape ``(rows, n)``.
        outputs: Shape ``(rows, m)``.
        forward: ``(points, tangents, index of the points) -> products``.
        chunk: How many products at once.

    References:
        Stein 1981, "Estimation of the mean of a multivariate normal distribution", lemma 2.
    """
    n_rows = len(inputs)
    if n_rows < 3:
        return None
    base, moved = (index.flatten() for index in torch.meshgrid(torch.arange(n_rows), torch.arange(n_rows), indexing="ij"))
    apart = base != moved
    base, moved = base[apart], moved[apart]
    others_mean = (inputs.sum(0) - inputs) / (n_rows - 1)
    predicted = torch.zeros_like(outputs)
    for start in range(0, len(base), chunk):
        at, of = base[start : start + chunk], moved[start : start + chunk]
        predicted.index_add_(0, of, forward(inputs[at], inputs[of] - others_mean[of], at).to(outputs))
    predicted /= n_rows - 1
    target = outputs - (outputs.sum(0) - outputs) / (n_rows - 1)
    power = float((predicted**2).sum())
    factor = float((predicted * target).sum()) / power if power > 0 else 0.0
    return _share(target - factor * predicted, target, "mean Jacobian")


def _share(residual: Tensor, target: Tensor, method: Method) -> Unexplained:
    """Return the ratio of the two sums of squares with the standard error of a ratio."""
    unexplained, variance = (residual**2).sum(1), (target**2).sum(1)
    total, n_rows = float(variance.sum()), len(variance)
    if total == 0.0:
        return Unexplained(0.0, 0.0, method, n_rows)  # a constant is affine
    share = float(unexplained.sum()) / total
    share = 0.0 if share < CLEAN else share
    spread = float(((unexplained - share * variance) ** 2).sum()) * n_rows / max(1, n_rows - 1)
    return Unexplained(share, spread**0.5 / total, method, n_rows)
