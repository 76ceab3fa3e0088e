"""Second derivatives through functions whose backward is written in Python: not believed untested."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..maps._field import hand_written_backwards
from .batch_losses import BatchLosses
from .products import CurvatureBlind, HessianProducts, undisturbed

AGREEMENT = 1e-3  # a wrong second derivative is wrong by its own size; a central difference in float64 is right to about 1e-9, at a kink less
STEPS = (1e-3, 1e-4, 1e-5, 1e-6)  # relative to the parameters' size


def refuse_untrue(losses: BatchLosses, parameters: Sequence[Tensor]) -> None:
    """Compare a product with a central difference of gradients, where the graph holds functions written in Python; the parameters are put back.

    Raises:
        CurvatureBlind: They differ: the function's backward is not itself differentiable (it leaves torch, or detaches), or wrong.
    """
    loss = losses.loss_at(0)
    names = hand_written_backwards(loss)
    if not names:
        return
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
            scale = float(torch.linalg.vector_norm(measured)) + 1e-6 * float(torch.linalg.vector_norm(sides[0])) / size
            if float(torch.linalg.vector_norm(exact - measured)) <= AGREEMENT * scale:
                return
    finally:
        with torch.no_grad():
            for part, start in zip(parameters, first, strict=True):
                part.copy_(start)
    raise CurvatureBlind(f"The second derivative through {', '.join(names)}, whose backward is written in Python, differs from a finite difference.")


def _gradient(losses: BatchLosses, parameters: Sequence[Tensor]) -> Tensor:
    moving = [part for part in parameters if part.requires_grad]
    with undisturbed(moving[0].device):
        found = iter(torch.autograd.grad(losses.loss_at(0), moving, allow_unused=True))
    parts = [next(found) if part.requires_grad else None for part in parameters]
    return torch.cat([part.new_zeros(part.numel()) if slope is None else slope.reshape(-1) for slope, part in zip(parts, parameters, strict=True)])
