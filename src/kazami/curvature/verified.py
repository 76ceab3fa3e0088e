"""Second derivatives are not believed untested: a product is held against a difference of gradients, and where it is untrue, differences are taken."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..maps._field import hand_written_backwards
from .batch_losses import BatchLosses
from .products import CurvatureBlind, HessianProducts, undisturbed

AGREEMENT = 1e-3  # a wrong second derivative is wrong by its own size; a central difference in float64 is right to about 1e-9, at a kink less
# Relative to the parameters' size. A step that crosses a kink of a piecewise linear network sees the kink and not the curvature, and with millions of units
# only a tiny one crosses none (of ResNet-20's, 1e-7 still crosses some); a large one is for losses whose gradient is rounded more coarsely than float64.
STEPS = (1e-6, 1e-8, 1e-9, 1e-10, 1e-4)


class DifferenceProducts:
    r"""Products with the Hessian as central differences of gradients, :math:`(\nabla L(\theta + hv) - \nabla L(\theta - hv))/2h`.

    Args:
        losses: A model of kazami's own with its batches.
        index: Which batch.
        parameters: Its parameters; moved for a product, and put back.

    Limits:
        Good to about seven digits in float64; across a kink (ReLU) to fewer.
    """

    def __init__(self, losses: BatchLosses, index: int, parameters: Sequence[Tensor]) -> None:
        """Remember where the parameters are."""
        self._losses, self._index, self._parameters = losses, index, parameters
        self._first = [part.detach().clone() for part in parameters]
        self.n_entries = sum(part.numel() for part in parameters)
        self.dtype, self.device = parameters[0].dtype, parameters[0].device
        # The step that balances the rounding of the gradient against the third derivative: the cube root of the rounding, relative to the weights.
        self._step = torch.finfo(self.dtype).eps ** (1 / 3) * max(1.0, float(torch.linalg.vector_norm(torch.stack([part.norm() for part in self._first]))))

    def flat_product(self, vector: Tensor) -> Tensor:
        """Return the Hessian times ``vector`` of shape ``(n_entries,)``; two gradients."""
        length = float(torch.linalg.vector_norm(vector))
        if length == 0.0:
            return torch.zeros_like(vector)
        parts = vector.split([part.numel() for part in self._parameters])
        directions = [part.view(like.shape) for part, like in zip(parts, self._parameters, strict=True)]
        try:
            ahead, behind = (self._gradient_at(sign * self._step / length, directions) for sign in (1.0, -1.0))
        finally:
            self._move(0.0, directions)
        curved: Tensor = (ahead - behind) * (length / (2.0 * self._step))
        return curved

    def _gradient_at(self, far: float, directions: Sequence[Tensor]) -> Tensor:
        self._move(far, directions)
        return _gradient(self._losses, self._parameters, self._index)

    def _move(self, far: float, directions: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for part, start, way in zip(self._parameters, self._first, directions, strict=True):
                part.copy_(start + far * way if far else start)


def second_derivative_is_true(losses: BatchLosses, parameters: Sequence[Tensor]) -> bool:
    """Return whether a product agrees with a central difference of gradients, beside the present weights; the parameters are put back.

    In single precision a difference proves nothing, and only functions written in Python are looked at.

    Raises:
        CurvatureBlind: It does not, and a function written in Python is in the graph: its backward is not itself differentiable (it leaves torch, or detaches).
    """
    names = hand_written_backwards(losses.loss_at(0))
    if not names and parameters[0].dtype != torch.float64:
        return True
    if _agrees(losses, parameters):
        return True
    if not names:
        return False
    raise CurvatureBlind(f"The second derivative through {', '.join(names)}, whose backward is written in Python, differs from a finite difference.")


def _agrees(losses: BatchLosses, parameters: Sequence[Tensor]) -> bool:
    generator = torch.Generator().manual_seed(0)
    noise, direction = ([torch.randn(part.shape, generator=generator, dtype=torch.float64).to(part) for part in parameters] for _ in range(2))
    first = [part.detach().clone() for part in parameters]
    size = float(torch.sqrt(sum((part.square().sum() for part in first), torch.zeros_like(first[0].sum())) / sum(part.numel() for part in first))) or 1.0

    def move(far: float) -> None:
        with torch.no_grad():
            for part, start, off, way in zip(parameters, first, noise, direction, strict=True):
                part.copy_(start + 1e-3 * size * off + far * size * way)  # beside the point itself, where an entry may sit on a kink

    try:
        move(0.0)
        exact = torch.cat([part.reshape(-1) for part in HessianProducts(losses.loss_at(0), parameters, on_copy=True).product(direction)])
        for step in STEPS:
            sides = []
            for sign in (1.0, -1.0):
                move(sign * step)
                sides.append(_gradient(losses, parameters))
            measured = (sides[0] - sides[1]) / (2.0 * step * size)
            scale = float(torch.linalg.vector_norm(measured)) + 1e-6 * float(torch.linalg.vector_norm(sides[0])) / size  # a flat loss has no scale of its own
            if not math.isfinite(scale) or float(torch.linalg.vector_norm(exact - measured)) <= AGREEMENT * scale:
                return True
    finally:
        with torch.no_grad():
            for part, start in zip(parameters, first, strict=True):
                part.copy_(start)
    return False


def _gradient(losses: BatchLosses, parameters: Sequence[Tensor], index: int = 0) -> Tensor:
    moving = [part for part in parameters if part.requires_grad]
    with undisturbed(moving[0].device):
        found = iter(torch.autograd.grad(losses.loss_at(index), moving, allow_unused=True))
    parts = [next(found) if part.requires_grad else None for part in parameters]
    return torch.cat([part.new_zeros(part.numel()) if slope is None else slope.reshape(-1) for slope, part in zip(parts, parameters, strict=True)])
