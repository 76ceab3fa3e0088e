"""How far the affine model around a point holds."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .jacobian import JacobianProducts, SingularTriplets

N_RANDOM = 16
N_CLIMBS = 6
DECADES = torch.linspace(-5.0, 4.0, 19, dtype=torch.float64)  # a factor of 3.16 between neighbours
N_HALVINGS = 24  # the bracket shrinks to 1e-7 of the radius


@dataclass(slots=True)
class LinearError:
    r"""The error of the affine model, relative to the largest change that it predicts at that distance.

    .. math:: e(r, d) = \lVert f(x + r d) - f(x) - r J d \rVert / (r \sigma_1(J)), \qquad \lVert d \rVert = 1

    Where the Jacobian is zero, the change counts in units of the output's own size instead.

    Args:
        products: The Jacobian.
        row: The point, shape ``(1, n)``.
        context: Shape ``(1,)``.
        jacobian: :math:`J` at the point, shape ``(m, n)``.
        steepness: :math:`\sigma_1(J)`.
    """

    products: JacobianProducts
    row: Tensor
    context: Tensor
    jacobian: Tensor
    steepness: float

    def __call__(self, directions: Tensor, radii: Tensor) -> Tensor:
        """Return the error for unit ``directions``, shape ``(k, n)``, at ``radii``, shape ``(k,)``."""
        function = self.products.function
        at = function.in_chunks(self.row, self.context)
        along = directions @ self.jacobian.mT
        return self._relative(function.in_chunks(self.row + radii[:, None] * directions, self.context.expand(len(directions))), at, along, radii)

    def climbed(self, directions: Tensor, radius: float) -> Tensor:
        """Return directions of larger error at ``radius``, by following its gradient on the sphere."""
        for _ in range(N_CLIMBS):
            context = self.context.expand(len(directions))
            change = self.products.function(self.row + radius * directions, context).detach() - self.products.function.in_chunks(self.row, self.context)
            error = change - radius * directions @ self.jacobian.mT
            there = self.products.backward(self.row + radius * directions, error, context)
            directions = unit(directions + unit(there - error @ self.jacobian))
        return directions

    def _relative(self, there: Tensor, at: Tensor, along: Tensor, radii: Tensor) -> Tensor:
        error = torch.linalg.vector_norm(there - at - radii[:, None] * along, dim=1)
        rounding = 64 * self.products.function.rounding * (torch.linalg.vector_norm(there, dim=1) + torch.linalg.vector_norm(at))
        size = radii * self.steepness if self.steepness > 0 else torch.linalg.vector_norm(at).clamp_min(1.0)
        error = (error - rounding).clamp_min(0.0)
        return torch.where(torch.isfinite(there).all(1), error / size, torch.inf)


def linear_radius(error: LinearError, triplets: SingularTriplets, *, tolerance: float, reach: float, seed: int) -> tuple[float, Tensor]:
    r"""Return the largest radius at which no direction tried has an error above ``tolerance``, with the direction that ends it; ``inf`` where none does.

    Random directions, both ends of the amplifying ones, and from the worst of these an ascent on the sphere. The distance grows from 1e-5 to 1e4 times
    ``reach``; the first violation is then bracketed and halved.

    Args:
        error: The error.
        triplets: Singular vectors at the point.
        tolerance: Largest relative error.
        reach: Typical distance in the data.
        seed: Of the random directions.
    """
    generator = torch.Generator().manual_seed(seed)
    row = error.row
    random = unit(torch.randn(N_RANDOM, row.shape[1], generator=generator, dtype=torch.float64).to(row))
    directions = torch.cat([random, triplets.right[0], -triplets.right[0]])
    radius, worst = _first_violation(error, directions, tolerance, reach, float("inf"))
    steepest = directions
    for _ in range(3):
        if radius in (0.0, float("inf")):
            break
        order = _at(error, steepest, radius).topk(min(8, len(steepest))).indices
        steepest = error.climbed(steepest[order], radius)
        smaller, worst_now = _first_violation(error, steepest, tolerance, reach, radius)
        if smaller > 0.99 * radius:
            break
        radius, worst = smaller, worst_now
    return radius, worst


def _first_violation(error: LinearError, directions: Tensor, tolerance: float, reach: float, limit: float) -> tuple[float, Tensor]:
    """Return the distance below ``limit`` at which the first of ``directions`` breaks the tolerance, or ``limit``, and that direction."""
    inner, outer = 0.0, limit
    for distance in [*(reach * decade for decade in (10**DECADES).tolist() if reach * decade < limit), *([limit] if limit < float("inf") else [])]:
        if bool((_at(error, directions, distance) > tolerance).any()):
            outer = distance
            break
        inner = distance
    else:
        return limit, directions[0]
    worst = directions[_at(error, directions, outer).argmax()]
    for _ in range(N_HALVINGS):
        middle = (inner + outer) / 2
        errors = _at(error, directions, middle)
        if bool((errors > tolerance).any()):
            outer, worst = middle, directions[errors.argmax()]
        else:
            inner = middle
    return inner, worst


def _at(error: LinearError, directions: Tensor, radius: float) -> Tensor:
    return error(directions, torch.full((len(directions),), radius).to(directions))


def unit(vectors: Tensor) -> Tensor:
    """Return ``vectors`` at length 1; zero vectors stay zero."""
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return vectors / lengths.clamp_min(torch.finfo(vectors.dtype).tiny)
