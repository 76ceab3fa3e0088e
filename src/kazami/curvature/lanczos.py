"""The largest eigenvalue of a symmetric operator by Lanczos, with an error bound that decides when to stop."""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .three_term import SymmetricOperator as SymmetricOperator
from .three_term import ThreeTerm

# How small the second residual must be, in gaps, before residual²/gap is believed at all; without any limit a cluster looks like one eigenvalue.
RESOLVED = 0.1
# A start near an eigenvector shows little of the rest, and its value hardly moves: there the second value must be known as well as this.
RESOLVED_WARM = 0.03
LOOK_BACK = 2  # products during which the value must have moved by less than the bound that is claimed


@dataclass(frozen=True, slots=True)
class TopEigenvalue:
    r"""The largest algebraic eigenvalue found, with its honest uncertainty.

    Args:
        value: The Ritz value :math:`\theta`, never above the true top in exact arithmetic; ``nan`` if a product was not finite.
        vector: Its unit Ritz vector, shape ``(n_entries,)``.
        n_products: Operator products made.
        residual: :math:`\lVert A y - \theta y \rVert`: an eigenvalue lies within this distance of ``value``.
        error: The bound the stop used: twice the residual, or, where the gap is resolved, the larger of residual²/gap and of what the value moved by lately.
        converged: Whether ``error`` came below the tolerance asked for.
        smallest: The smallest Ritz value seen, an upper bound of the smallest eigenvalue (negative curvature if below zero).
    """

    value: float
    vector: Tensor
    n_products: int
    residual: float
    error: float
    converged: bool
    smallest: float


@dataclass(frozen=True, slots=True)
class _Ritz:
    """The projection of the operator on the Krylov space so far; ``weights`` of shape ``(k,)`` give the top Ritz vector in the basis."""

    value: float
    weights: NDArray[np.float64]
    residual: float
    error: float
    smallest: float


def top_eigenvalue(
    operator: SymmetricOperator,
    *,
    start: Tensor | None = None,
    generator: torch.Generator,
    tolerance: float = 1e-2,
    max_products: int = 20,
    max_seconds: float = math.inf,
    mixing: float = 0.1,
) -> TopEigenvalue:
    r"""Return the largest algebraic eigenvalue of ``operator`` by Lanczos, reorthogonalised where needed.

    In the Krylov basis the operator is tridiagonal, :math:`T_k`; its top eigenpair :math:`(\theta, s)` has the residual
    :math:`r = \beta_k |s_k|`. An eigenvalue lies within :math:`r` of :math:`\theta` always, and within :math:`r^2/\delta` if no other lies
    within :math:`\delta` (Kato-Temple). It stops when :math:`2r` is within the tolerance (the eigenvalue that is near may be a neighbour of the
    top one), or :math:`r^2/\delta` is, :math:`\delta` being the distance to the second Ritz value, once that one is itself resolved, and once the value has
    moved by no more than that during the last two products.

    Args:
        operator: The operator, for example :class:`~kazami.curvature.products.HessianProducts`.
        start: A vector of shape ``(n_entries,)`` near the eigenvector (a warm start); ``None`` for a random one.
        generator: The source of the random directions; the global stream is not touched.
        tolerance: The relative error of the value asked for.
        max_products: The most products to make.
        max_seconds: Stop where the next product would end later than this.
        mixing: The length of the random direction added to a unit ``start``, so that a new top direction is found.

    Returns:
        The value with its bound; ``converged`` is ``False`` where products or time ran out, or the operator is not finite.

    Limits:
        The bound says that *an* eigenvalue is near. That it is the *top* one is likely, not certain: the start must not be orthogonal to the top
        eigenvector, and after a warm start a new top direction enters only through the random part. Solve with a large ``mixing`` now and then.

    References:
        Lanczos 1950; Simon 1984, "The Lanczos algorithm with partial reorthogonalization"; Parlett 1998,
        "The symmetric eigenvalue problem", theorems 4.5.1, 11.7.1 and chapter 13.

    Example:
        >>> from kazami.curvature import HessianProducts
        >>> x = torch.ones(3, dtype=torch.float64, requires_grad=True)
        >>> loss = (torch.tensor([1.0, 2.0, 5.0]) * x**2).sum() / 2
        >>> found = top_eigenvalue(HessianProducts(loss, [x]), generator=torch.Generator().manual_seed(0))
        >>> round(found.value, 6), found.converged
        (5.0, True)
    """
    began = time.perf_counter()
    space = ThreeTerm(operator, _start_vector(operator, start, mixing, generator))
    is_warm, seen = start is not None, [math.inf] * LOOK_BACK  # the values so far: one that is infinite has moved
    while True:
        product_began = time.perf_counter()
        may_go_on = space.advance()
        if not math.isfinite(space.beside[-1]):
            return _not_finite(space.rows[0], len(space.rows))
        ritz = _solve_projection(space.diagonal, space.beside, torch.finfo(operator.dtype).eps, None if is_warm else seen[-LOOK_BACK])
        seen.append(ritz.value)
        converged = ritz.error <= tolerance * abs(ritz.value)
        now = time.perf_counter()
        out_of_time = now - began + (now - product_began) > max_seconds
        if converged or out_of_time or len(seen) - LOOK_BACK >= min(max_products, operator.n_entries) or not may_go_on:
            break
    vector = space.combined(ritz.weights.tolist())
    return TopEigenvalue(ritz.value, vector, len(space.rows), ritz.residual, ritz.error, converged, ritz.smallest)


def _start_vector(operator: SymmetricOperator, start: Tensor | None, mixing: float, generator: torch.Generator) -> Tensor:
    random = torch.empty(operator.n_entries, dtype=operator.dtype, device=generator.device)
    random = random.uniform_(-1.0, 1.0, generator=generator).to(operator.device)  # a third of the cost of normal numbers
    random.div_(torch.linalg.vector_norm(random))
    length = 0.0 if start is None else float(torch.linalg.vector_norm(start))
    if start is None or not 0.0 < length < math.inf:
        return random
    mixed = random.mul_(mixing).add_(start, alpha=1.0 / length)
    return mixed.div_(torch.linalg.vector_norm(mixed))


def _solve_projection(diagonal: list[float], beside: list[float], rounding: float, earlier: float | None) -> _Ritz:
    """Return the top Ritz pair of the tridiagonal matrix with its bounds; ``beside[-1]`` couples to the vector not yet in the basis.

    Args:
        diagonal: The matrix's diagonal.
        beside: Its off-diagonal.
        rounding: The rounding unit of the vectors.
        earlier: The value :data:`LOOK_BACK` products ago; ``None`` after a warm start, when standing still proves nothing.
    """
    off = np.array(beside[:-1])
    values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    residuals = beside[-1] * np.abs(vectors[-1])
    value, residual = float(values[-1]), float(residuals[-1])
    error = 2.0 * residual
    if len(values) > 1:
        gap = float(values[-1] - values[-2] - residuals[-2])
        if residuals[-2] <= (RESOLVED_WARM if earlier is None else RESOLVED) * gap:
            moved = 0.0 if earlier is None else abs(value - earlier)
            error = min(error, max(residual * residual / gap, moved))
    floor = rounding * float(np.abs(values).max())  # products are not exact: no bound below rounding is honest
    return _Ritz(value, vectors[:, -1], residual, max(error, floor) if error > 0.0 else 0.0, float(values[0]))


def _not_finite(vector: Tensor, n_products: int) -> TopEigenvalue:
    nan = math.nan
    return TopEigenvalue(nan, vector, n_products, nan, nan, False, nan)
