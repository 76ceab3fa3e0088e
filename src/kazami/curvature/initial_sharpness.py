"""Sharpness: the largest eigenvalues of a training's Hessian against the optimizer's own stability threshold."""

import math
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from ..maps import Training
from ..records.estimate import Estimate, Outcome, Remark
from .extremes import MOST_PRODUCTS, Extremes, Which
from .training_curvature import Mode, TrainingCurvature, as_curvature


def sharpness(
    training: Training | TrainingCurvature,
    k: int = 1,
    *,
    after: int = 0,
    which: Which = "largest",
    tolerance: float = 1e-4,
    max_products: int = MOST_PRODUCTS,
    mode: Mode | None = None,
    dtype: torch.dtype = torch.float64,
) -> Estimate:
    r"""Return the ``k`` largest eigenvalues of the Hessian of the loss over all batches, and the value above which the optimizer's step grows.

    .. math:: H = \sum_b \frac{n_b}{N} \nabla^2 L_b, \qquad \lambda_{\max}(H) \le \frac{2}{\eta} \text{ (plain descent)}

    For an adaptive optimizer it is the preconditioned Hessian :math:`P^{-1/2} H P^{-1/2}`, where :math:`P` is what the step is divided by, against its own
    threshold (:math:`2(1+\beta_1)/((1-\beta_1)\eta)` for Adam); the same holds where parameter groups have different learning rates.

    Args:
        training: What to look at, at its initial weights; or a :class:`~kazami.curvature.training_curvature.TrainingCurvature`.
        k: How many eigenvalues.
        after: Optimizer steps to take before.
        which: ``"largest"`` and ``"smallest"`` in algebraic order, ``"magnitude"`` by absolute value.
        tolerance: The relative error asked for.
        max_products: The most products to make; the estimate says if that was too few.
        mode: ``"train"`` or ``"eval"`` for all modules; as the model is by default.
        dtype: Precision of the derivatives.

    Returns:
        An `Estimate`: ``value`` of shape ``(k,)``, best first; ``uncertainty`` of the same shape, a bound on the error of the solution (the mean over the
        batches itself is exact); ``threshold``, NaN where no rule is known; ``local`` of shape ``(batches, k)``, the curvature of each batch along the
        eigenvectors. ``details``: ``ratio`` (value over threshold), ``products``, ``converged``, ``smallest_seen``, ``parameters``, ``is_preconditioned`` and,
        then, ``bare`` (the eigenvalues without preconditioner).

    Raises:
        UsageError: An operation has no second derivative (it is named); ``k`` eigenvectors do not fit into memory; nothing moves.

    Limits:
        The threshold is that of a full batch and a quadratic. Uniform coupled weight decay lowers the threshold, otherwise it is added to the Hessian.

    References:
        Cohen et al. 2021 (arXiv 2103.00065); Cohen et al. 2022 (arXiv 2207.14484).

    Example:
        >>> from torch import nn
        >>> t = Training(model=lambda: nn.Linear(1, 1, bias=False), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.5), loss=nn.functional.mse_loss,
        ...              batches=lambda: [(torch.full((2, 1), 3.0), torch.zeros(2, 1))], steps=1)
        >>> found = sharpness(t)  # 2 x² = 18
        >>> found.value.round(9).tolist(), found.threshold
        ([18.0], 4.0)
    """
    curvature = as_curvature(training, after=after, mode=mode, dtype=dtype)
    looked = curvature.looked_at
    products = curvature.stability_products()
    asked: dict[str, Any] = {"which": which, "tolerance": tolerance, "max_products": max_products}
    found = curvature.eigenvalues(k, products=products, **asked)
    value = found.values.numpy()
    is_finite = bool(np.isfinite(value).all())
    details = _details(found, looked.threshold, curvature)
    if looked.preconditioner is not None:
        details["bare"] = curvature.eigenvalues(k, **asked).values.numpy()
    with torch.no_grad():
        local = products.along_by_batch(found.vectors).double().cpu().numpy() if is_finite else np.full((len(curvature.losses.batches), k), np.nan)
    return Estimate(
        name="sharpness",
        value=value,
        uncertainty=found.errors.numpy(),
        local=local,
        steps=len(local),
        unit="loss/weight²" if looked.preconditioner is None else "loss/rescaled weight²",
        outcome=Outcome.COMPLETE if is_finite else Outcome.NON_FINITE,
        conditions=curvature.conditions,
        warnings=(*looked.warnings, *_warnings(found, curvature, tolerance, is_finite)),
        details=MappingProxyType(details),
    )


def _details(found: Extremes, threshold: float, curvature: TrainingCurvature) -> dict[str, Any]:
    highest = float(found.values.max())
    return {
        "threshold": threshold,
        "ratio": highest / threshold if threshold else math.nan,
        "optimizer": curvature.looked_at.optimizer,
        "products": found.n_products,
        "converged": found.converged,
        "smallest_seen": found.lowest,
        "parameters": curvature.n_entries,
        "is_preconditioned": curvature.looked_at.preconditioner is not None,
    }


def _warnings(found: Extremes, curvature: TrainingCurvature, tolerance: float, is_finite: bool) -> list[Remark]:
    if not is_finite:
        return [Remark("The loss or its derivatives are not finite.", "損失またはその微分が有限でない。")]
    said = []
    if not found.converged:
        text = f"Not within {tolerance:g} after {found.n_products} products; the error bound says how far. Give max_products=… for more."
        said.append(Remark(text, f"{found.n_products}回の積では許容差 {tolerance:g} に達しなかった（誤差限界を参照）。"))
    if not curvature.losses.is_deterministic():
        text = "The same loss taken twice gave two values: something draws numbers of its own, or a kernel adds in another order."
        said.append(Remark(text, "同じ損失が2回の計算で一致しない。固定できない乱数か、加算順の異なる演算がある。"))
    return said
