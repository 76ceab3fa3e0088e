"""A lower bound of the local Lipschitz constant: the steepest slope that a search in a ball finds."""

import torch
from torch import Tensor

from .jacobian import JacobianProducts, SingularTriplets

N_STARTS = 4
N_CLIMBS = 6


def local_lipschitz(products: JacobianProducts, radius: float, *, triplets: SingularTriplets, seed: int = 0) -> Tensor:
    r"""Return for each row of the example the steepest slope found within ``radius``, shape ``(rows,)``.

    The local Lipschitz constant is :math:`\sup \lVert f(a) - f(b) \rVert / \lVert a - b \rVert` over points of the ball. It is at least every such quotient,
    and at least :math:`\sigma_1(J)` at every point: the maximum of all that were met is returned. Points are random ones and both ends of the most
    amplifying direction; from each a power iteration on :math:`J^{\mathsf T}J` gives a slope and the direction in which the next point is taken.

    Args:
        products: The Jacobian.
        radius: Of the ball around each row, Euclidean.
        triplets: The singular values at the rows themselves.
        seed: Of the random points.
    """
    function = products.function
    best = triplets.values[:, 0].clone()
    generator = torch.Generator().manual_seed(seed)
    for start in range(N_STARTS):
        direction = triplets.right[:, 0] * (1 - 2 * (start % 2)) if start < 2 else _unit(_normal(function.rows, generator))
        along = triplets.right[:, 0] if start < 2 else direction
        for _ in range(N_CLIMBS):
            point = function.rows + radius * direction
            image, slope = _slopes(products, point, along)
            quotient = _rise(products, direction, radius)
            best = torch.maximum(best, torch.maximum(slope, quotient).nan_to_num(0.0))
            along = _unit(products.backward(point, _unit(image), function.each_row))
            share = 0.5 + 0.5 * torch.rand(1, generator=generator).item()
            direction = _unit((1 - share) * direction + share * along)
    return best


def _slopes(products: JacobianProducts, points: Tensor, along: Tensor) -> tuple[Tensor, Tensor]:
    image = products.forward(points, along, products.function.each_row)
    return image, torch.linalg.vector_norm(image, dim=1)


def _rise(products: JacobianProducts, direction: Tensor, radius: float) -> Tensor:
    """Return the mean slope from each row to the edge of its ball."""
    function = products.function
    change = function.in_chunks(function.rows + radius * direction, function.each_row) - function.in_chunks(function.rows, function.each_row)
    slope: Tensor = torch.linalg.vector_norm(change, dim=1) / radius
    return slope


def _unit(vectors: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return vectors / lengths.clamp_min(torch.finfo(vectors.dtype).tiny)


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like)
