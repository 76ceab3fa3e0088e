"""Directions in the space of weights: random ones, filter by filter as long as the weights; principal axes of a path; eigenvectors of the Hessian."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..curvature import CurvatureBlind, HessianProducts
from ..errors import UsageError
from .evaluation import gradient_at, kept_randomness
from .weights import Batch, flat_weights, loss_on, sizes_of, unflatten, working_copy

# Below this many weights the whole Hessian costs no more than an iteration would.
DENSE_WEIGHTS = 100
ROUNDING = 1e-12  # of variances: weights in float32 are rounded to 1e-7 of their size, and variances to its square
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def random_direction(model: nn.Module, generator: torch.Generator) -> Tensor:
    """Return a flat standard normal direction; parameters that are frozen do not move, unless all are."""
    parameters = list(model.parameters())
    all_frozen = not any(parameter.requires_grad for parameter in parameters)
    parts = [torch.randn(parameter.numel(), generator=generator, dtype=torch.float64) for parameter in parameters]
    moving = [part if all_frozen or parameter.requires_grad else torch.zeros_like(part) for part, parameter in zip(parts, parameters, strict=True)]
    flat = flat_weights(model)
    return torch.cat(moving).to(flat)


def filter_normalised(direction: Tensor, model: nn.Module, *, normalise: str = "filter", biases: str = "rest") -> Tensor:
    """Return ``direction`` with each filter as long as the model's own.

    Args:
        direction: Flat, shape ``(weights,)``.
        model: Gives the lengths.
        normalise: ``"filter"``, ``"layer"`` or ``"none"``.
        biases: ``"rest"`` sets parameters of at most one dimension to zero, ``"move"`` normalises each as a whole.

    Raises:
        UsageError: One of the words is unknown, or no direction is left because all weights are zero.
    """
    if normalise not in ("filter", "layer", "none") or biases not in ("rest", "move"):
        raise UsageError(f"normalise should be filter, layer or none, and biases rest or move; they are {normalise!r}, {biases!r}.")
    turned = {id(module.weight) for module in model.modules() if isinstance(module, TRANSPOSED)}
    pairs = list(zip(unflatten(direction, model), model.parameters(), strict=True))
    only_vectors = not any(parameter.ndim > 1 and bool(part.any()) for part, parameter in pairs)
    parts = []
    for part, parameter in pairs:
        if parameter.ndim <= 1 and biases == "rest" and not only_vectors:
            parts.append(torch.zeros_like(part))
        elif normalise == "none":
            parts.append(part)
        else:
            whole = normalise == "layer" or parameter.ndim <= 1
            parts.append(_as_long_as(part, parameter.detach().to(part.dtype), whole=whole, axis=1 if id(parameter) in turned else 0))
    flat = torch.cat([part.reshape(-1) for part in parts])
    if not bool(flat.any()):
        raise UsageError("All weights that could move are zero, so a direction as long as they are has no length. Use normalise='none'.")
    return flat


def _as_long_as(part: Tensor, like: Tensor, *, whole: bool, axis: int) -> Tensor:
    """Scale ``part``, as a whole or slice by slice along ``axis``, to the lengths of ``like``."""
    dimensions = [k for k in range(part.ndim) if whole or k != axis]
    lengths = torch.linalg.vector_norm(part, dim=dimensions or None, keepdim=True)
    wanted = torch.linalg.vector_norm(like, dim=dimensions or None, keepdim=True)
    scaled: Tensor = part * torch.where(lengths > 0.0, wanted / lengths, torch.zeros_like(wanted))
    return scaled


def principal_directions(trajectory: Tensor) -> tuple[Tensor, Tensor, tuple[float, float]]:
    """Return the two leading principal axes of the rows, of unit length, and the share of the variance along each.

    The matrix of scalar products of the rows is decomposed, steps by steps in size: a path is short beside the number of weights.

    Raises:
        UsageError: There are fewer than three rows, some are not finite, or the rows lie on a line.
    """
    if trajectory.ndim != 2 or len(trajectory) < 3:
        raise UsageError(f"Two principal axes need a path of three recorded steps or more, shape (steps, weights), and this one is {tuple(trajectory.shape)}.")
    if not bool(trajectory.isfinite().all()):
        first = int(trajectory.isfinite().all(dim=1).long().argmin())
        raise UsageError(f"The path holds weights that are not finite, from row {first} on. Record fewer steps, up to where it escapes.")
    mean = trajectory.double().mean(0)
    away = trajectory.double() - mean
    values, vectors = torch.linalg.eigh(away @ away.t())
    values, vectors = values.flip(0).clamp_min(0.0), vectors.flip(1)
    if not float(values[1]) > ROUNDING * float(values[0]) > 0.0:
        raise UsageError("The path is a point or a straight line, so it has no second principal axis. Use kazami.surfaces.line.")
    axes = [(away.t() @ vectors[:, k]) / values[k].sqrt() for k in (0, 1)]
    # The first step goes to the left of the end, or below: signs of eigenvectors are chance, and the picture should not be.
    axes = [axis if float(axis @ (trajectory[-1].double() - trajectory[0].double())) >= 0.0 else -axis for axis in axes]
    shares = (values / values.sum())[:2].tolist()
    return axes[0].to(trajectory.dtype), axes[1].to(trajectory.dtype), (shares[0], shares[1])


@dataclass(frozen=True, slots=True)
class HessianDirections:
    """The two eigenvectors with the largest eigenvalues: unit ``vectors``, the ``loss`` there, and how they were found."""

    vectors: tuple[Tensor, Tensor]
    eigenvalues: tuple[float, float]
    loss: float
    said: str
    said_ja: str


def hessian_directions(model: nn.Module, loss: Any, batches: Sequence[Batch], *, seed: int = 0) -> HessianDirections:
    """Return the top two eigenvectors of the Hessian of the mean loss, the model left as it was.

    Products are exact (a derivative of the gradient) where the loss has a second derivative that can be taken without harm, else central
    differences of gradients.

    Raises:
        UsageError: There are fewer than two weights, or the curvature is not finite.
    """
    flat = flat_weights(model)
    if len(flat) < 2:
        raise UsageError("A plane needs two weights or more, and the model has one.")
    said = ("Hessian products are exact.", "ヘッセ行列との積は厳密です。")
    with _ready_for_curvature(model, flat) as twin:
        try:
            level, product = _exact_products(twin, loss, batches)
            values, vectors = _top_two(product, flat, seed)
        except (CurvatureBlind, RuntimeError) as reason:
            said = (
                f"Hessian products are central differences of gradients ({str(reason).splitlines()[0]})",
                "ヘッセ行列との積は勾配の中心差分です（厳密な 2 階微分が使えません）。",
            )
            level, _ = gradient_at(twin, loss, batches, flat)
            values, vectors = _top_two(_difference_products(twin, loss, batches, flat), flat, seed)
    return HessianDirections((vectors[0], vectors[1]), (float(values[0]), float(values[1])), level, *said)


def curvature_along(model: nn.Module, loss: Any, batches: Sequence[Batch], direction: Tensor) -> float:
    r"""Return :math:`d^\top H d/d^\top d` of the mean loss, exact where the loss allows it, else from differences of gradients."""
    flat, unit = flat_weights(model), direction / direction.norm()
    with _ready_for_curvature(model, flat) as twin:
        try:
            _, product = _exact_products(twin, loss, batches)
            return float(unit.double() @ product(unit).detach().double())
        except (CurvatureBlind, RuntimeError):
            return float(unit.double() @ _difference_products(twin, loss, batches, flat)(unit).double())


@contextmanager
def _ready_for_curvature(model: nn.Module, flat: Tensor) -> Iterator[nn.Module]:
    """Give a copy in eval mode that can be differentiated twice: fused attention, which cannot, is off."""
    with working_copy(model) as twin, kept_randomness(), sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
        twin.eval()
        for parameter, part in zip(twin.parameters(), unflatten(flat.clone(), twin), strict=True):
            parameter.data = part.to(parameter.dtype)
            parameter.requires_grad_(True)
        yield twin


def _exact_products(twin: nn.Module, loss: Any, batches: Sequence[Batch]) -> tuple[float, Callable[[Tensor], Tensor]]:
    sizes = sizes_of(batches)
    values = [loss_on(twin, loss, batch) for batch in batches]
    shares = [size / sum(sizes) for size in sizes]
    products = [HessianProducts(value, list(twin.parameters())) for value in values]

    def product(vector: Tensor) -> Tensor:
        return sum((share * one.flat_product(vector) for share, one in zip(shares, products, strict=True)), start=torch.zeros_like(vector))

    return sum(share * float(value.detach()) for share, value in zip(shares, values, strict=True)), product


def _difference_products(twin: nn.Module, loss: Any, batches: Sequence[Batch], flat: Tensor) -> Callable[[Tensor], Tensor]:
    # The step that balances the rounding of the gradient against the third derivative: the cube root of the rounding, relative to the weights.
    step = torch.finfo(flat.dtype).eps ** (1 / 3) * max(float(flat.norm()), 1.0)

    def product(vector: Tensor) -> Tensor:
        length = float(vector.norm())
        if length == 0.0:
            return torch.zeros_like(vector)
        ahead, behind = (gradient_at(twin, loss, batches, flat + sign * step / length * vector)[1] for sign in (1.0, -1.0))
        curved: Tensor = (ahead - behind) * (length / (2.0 * step))
        return curved

    return product


def _top_two(product: Callable[[Tensor], Tensor], flat: Tensor, seed: int) -> tuple[np.ndarray, list[Tensor]]:
    n = len(flat)

    def numbers(vector: np.ndarray) -> np.ndarray:
        found = product(torch.as_tensor(np.ascontiguousarray(vector).reshape(-1)).to(flat)).detach().double().cpu().numpy()
        if not np.isfinite(found).all():
            raise UsageError("The curvature at the model's weights is not finite, so there is no steepest direction.")
        return np.asarray(found)

    if n <= DENSE_WEIGHTS:
        matrix = np.stack([numbers(row) for row in np.eye(n)])
        values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    else:
        start = np.random.default_rng(seed).standard_normal(n)
        tolerance = 1e-3 if flat.dtype == torch.float32 else 1e-8
        try:
            values, vectors = eigsh(LinearOperator((n, n), matvec=numbers, dtype=np.float64), k=2, which="LA", v0=start, tol=tolerance)
        except ArpackError as error:
            raise UsageError(f"The two largest eigenvalues were not found ({error}).") from None
    order = np.argsort(values)[::-1][:2]
    return values[order], [torch.as_tensor(np.ascontiguousarray(vectors[:, k])).to(flat) for k in order]
