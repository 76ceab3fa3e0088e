"""Sharpness along a training, measured inside the user's backward on the live graph, each time from where the last time ended."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from .lanczos import TopEigenvalue, top_eigenvalue
from .preconditioners import coupled_decay, preconditioner, scheduled_unit
from .products import CurvatureBlind, HessianProducts
from .thresholds import Threshold, fastest_group, optimizer_threshold


@dataclass(frozen=True, slots=True)
class Sharpness:
    """One measurement; curvatures are in loss per squared weight, or per squared rescaled weight where ``is_preconditioned``.

    Args:
        value: The top eigenvalue of the Hessian of what the optimizer descends (loss plus coupled weight decay), preconditioned as its step is.
        smallest: The smallest Ritz value seen, an upper bound of the smallest eigenvalue; below zero: the loss curves down somewhere.
        stability_ratio: ``value`` over ``threshold``; above 1 the linearised step grows. ``nan`` where the optimizer's rule is not known.
        threshold: The largest stable ``value``; ``nan`` where not known, infinite at a learning rate of zero.
        n_products: Hessian-vector products made, all together.
        residual: An eigenvalue lies within this distance of ``value``.
        converged: Whether ``value`` met the tracker's tolerance.
        seconds: Wall time of the measurement.
        gradient_norm: The Euclidean norm of the loss's gradient.
        gradient_curvature: The curvature of the bare loss along its gradient; ``nan`` if there was no time or no gradient.
        update_curvature: The same along the last update; ``nan`` if not asked for.
        is_preconditioned: Whether ``value`` speaks of a rescaled Hessian (adaptive optimizer, several learning rates, parameters left out).
    """

    value: float
    smallest: float
    stability_ratio: float
    threshold: float
    n_products: int
    residual: float
    converged: bool
    seconds: float
    gradient_norm: float
    gradient_curvature: float
    update_curvature: float
    is_preconditioned: bool


class SharpnessTracker:
    """Measures sharpness on live losses and keeps the last top eigenvector as the next start.

    Args:
        tolerance: The relative error of the value asked for.
        max_products: The most products per eigenvalue.
        seed: Of the tracker's own random directions.
        renew_every: Each so many measurements start half from a fresh random direction, lest a new top direction be missed.

    Limits:
        Sees one batch: the sharpness of a small batch is above that of the whole data. Hooks on intermediate tensors fire once more
        (:class:`~kazami.curvature.products.HessianProducts`). Before the first step of an adaptive optimizer there is nothing to measure against.

    References:
        Cohen et al. 2021 (arXiv 2103.00065); Cohen et al. 2022 (arXiv 2207.14484).

    Example:
        >>> weights = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
        >>> optimizer = torch.optim.SGD([weights], lr=0.5)
        >>> loss = (torch.tensor([1.0, 6.0]) * weights**2).sum() / 2
        >>> found = SharpnessTracker().measure(loss, [weights], optimizer)
        >>> round(found.value, 3), round(found.stability_ratio, 3)
        (6.0, 1.5)
    """

    def __init__(self, *, tolerance: float = 2e-2, max_products: int = 20, seed: int = 0, renew_every: int = 10) -> None:
        self.tolerance = tolerance
        self.max_products = max_products
        self.seed = seed
        self.renew_every = renew_every
        self.blind_reason: str | None = None
        self._warm: Tensor | None = None
        self._generator: torch.Generator | None = None
        self._n_measured = 0

    def measure(
        self,
        loss: Tensor,
        parameters: Sequence[Tensor],
        optimizer: Optimizer | None,
        *,
        max_seconds: float = math.inf,
        last_update: Sequence[Tensor] | None = None,
    ) -> Sharpness | None:
        """Return the sharpness of ``loss`` at the present weights, or ``None`` with the reason in ``blind_reason``.

        Safe between the user's forward and backward: weights, ``.grad`` fields, the user's graph and the random streams are left as they were.

        Args:
            loss: The live loss, 0-dimensional.
            parameters: What is trained, in the same order each time.
            optimizer: Gives threshold and preconditioner; ``None`` for the bare sharpness.
            max_seconds: Wall time to stay within, as far as can be foreseen from the products made; at least one product is made.
            last_update: The last step, one tensor per parameter, for the curvature along it.

        Returns:
            The measurement, ``converged=False`` in it where time or products ran out or the loss is not finite.
        """
        began = time.perf_counter()
        self.blind_reason = None
        try:
            threshold, products = self._prepare(loss, list(parameters), optimizer)
            left = max_seconds - (time.perf_counter() - began)
            if left <= 0.0:
                raise CurvatureBlind(f"The second derivative needs more than the {max_seconds:.3g} seconds allowed.")
            top = self._solve(products, left)
            pace = (time.perf_counter() - began) / top.n_products  # an upper bound of a product's time: it holds the gradient too
            directions = [products.gradients, last_update]
            along = [math.nan, math.nan]
            for index, direction in enumerate(directions):
                if direction is not None and time.perf_counter() - began + pace <= max_seconds:
                    along[index] = products.curvature_along(direction)
        except CurvatureBlind as blindness:
            self.blind_reason = str(blindness)
            return None
        return _summary(top, threshold, products, along, time.perf_counter() - began)

    def _prepare(self, loss: Tensor, parameters: list[Tensor], optimizer: Optimizer | None) -> tuple[Threshold | None, HessianProducts]:
        if optimizer is None:
            return None, HessianProducts(loss, parameters)
        index = fastest_group(optimizer)
        threshold = optimizer_threshold(optimizer, index)
        if threshold is None:
            return None, HessianProducts(loss, parameters)
        with torch.no_grad():
            scales = preconditioner(optimizer, parameters, index)
        if scales is None and threshold.is_preconditioned:
            raise CurvatureBlind(f"{type(optimizer).__name__} has not made a step yet, so its scaling is not known.")
        threshold = Threshold(threshold.kind, scheduled_unit(optimizer, index), threshold.learning_rate, scales is not None)
        return threshold, HessianProducts(loss, parameters, preconditioner=scales, penalties=coupled_decay(optimizer, parameters))

    def _solve(self, products: HessianProducts, max_seconds: float) -> TopEigenvalue:
        """Return the top eigenvalue from the last eigenvector, and keep the new one."""
        if self._generator is None or self._generator.device != products.device:
            self._generator = torch.Generator(products.device).manual_seed(self.seed)
        warm = self._warm
        if warm is not None and (warm.numel() != products.n_entries or warm.dtype != products.dtype or warm.device != products.device):
            warm = None
        self._n_measured += 1
        is_renewal = self._n_measured % self.renew_every == 0
        with torch.no_grad():
            top = top_eigenvalue(
                products,
                start=warm,
                generator=self._generator,
                tolerance=self.tolerance,
                max_products=self.max_products,
                max_seconds=max_seconds,
                mixing=1.0 if is_renewal else 0.1,
            )
        self._warm = top.vector if math.isfinite(top.value) else None
        return top


def _summary(top: TopEigenvalue, threshold: Threshold | None, products: HessianProducts, along: list[float], seconds: float) -> Sharpness:
    norms = torch.stack([torch.linalg.vector_norm(gradient) for gradient in products.gradients])
    return Sharpness(
        value=top.value,
        smallest=top.smallest,
        stability_ratio=math.nan if threshold is None else threshold.stability_ratio(top.value),
        threshold=math.nan if threshold is None else threshold.value,
        n_products=products.n_products,
        residual=top.residual,
        converged=top.converged,
        seconds=seconds,
        gradient_norm=float(torch.linalg.vector_norm(norms)),
        gradient_curvature=along[0],
        update_curvature=along[1],
        is_preconditioned=products.inverse_root is not None,
    )
