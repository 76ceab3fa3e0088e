"""Several extreme eigenvalues of a symmetric operator by block Lanczos with restarts, each with a bound on its true error."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..errors import UsageError, unknown_name
from .krylov import Basis, orthonormalised, random_rows
from .lanczos import LOOK_BACK, RESOLVED, SymmetricOperator
from .memory import available_bytes, gibibytes
from .three_term import Looseness

Which = Literal["largest", "smallest", "magnitude"]
ENDS = ("largest", "smallest", "magnitude")
MOST_PRODUCTS = 400
NEAR_ZERO = 1e-3  # an eigenvalue below this part of the largest one need only be known to the tolerance of that part
LOOK_BEYOND = 8  # Ritz values behind the wanted ones among which a gap is looked for


@dataclass(frozen=True, slots=True)
class Extremes:
    r"""The eigenvalues found, best first.

    Args:
        values: Shape ``(k,)``; ``nan`` if a product was not finite.
        vectors: Unit Ritz vectors as rows, shape ``(k, n_entries)``.
        errors: A bound on each value's distance from the eigenvalue of the same rank, shape ``(k,)``: twice the residual, or the squared residuals over the
            gap to what follows where that gap is resolved; never below what rounding in the products leaves open.
        n_products: Operator products made.
        converged: Whether every error came below the tolerance asked for.
        lowest: The smallest Ritz value seen.
        highest: The largest Ritz value seen.
        noise: How far from symmetric the products were: what their rounding does to an eigenvalue.
    """

    values: Tensor
    vectors: Tensor
    errors: Tensor
    n_products: int
    converged: bool
    lowest: float
    highest: float
    noise: float


def extreme_eigenvalues(
    operator: SymmetricOperator,
    k: int = 1,
    *,
    which: Which = "largest",
    generator: torch.Generator,
    tolerance: float = 1e-4,
    max_products: int = MOST_PRODUCTS,
    max_rows: int | None = None,
) -> Extremes:
    r"""Return ``k`` eigenvalues at the end of the spectrum that ``which`` names.

    A block of ``k`` random vectors spans a Krylov space together, so an eigenvalue of multiplicity up to ``k`` is found as often as it is there; a single
    vector would see it once. With the orthonormal basis :math:`Q` the eigenpairs of :math:`T = Q^\top A Q` are the Ritz pairs, with residuals :math:`r_i`.
    It stops when each wanted value's bound

    .. math:: |\lambda_i - \theta_i| \le \min\Bigl(2 \max_{l \le i} r_l,\; \min_{j \ge i} \frac{\sum_{l \le j} r_l^2}{\theta_j - \theta_{j+1} - r_{j+1}}\Bigr)

    is within the tolerance; the second form counts only where :math:`r_{j+1}` is small against its gap, for no less than the value has moved by during the
    last two products or the last block, and where the last block has moved it by no more than the bound before foretold. A full basis is restarted with its
    best Ritz vectors.

    Args:
        operator: Any symmetric operator.
        k: How many.
        which: ``"largest"`` and ``"smallest"`` in algebraic order, ``"magnitude"`` by absolute value.
        generator: The source of the start block.
        tolerance: Relative error asked for; for values near zero, of a thousandth of the largest one.
        max_products: The most products to make.
        max_rows: The largest basis; by default what a quarter of the free memory holds.

    Raises:
        UsageError: ``k`` is not between 1 and the dimension; not even a small basis fits into memory.

    Limits:
        The bounds hold for the eigenvalues that the start block can see; that it sees the outermost ones has probability 1, but a cluster narrower than the
        residual is known only by its edge.

    References:
        Golub and Underwood 1977 (block Lanczos); Wu and Simon 2000 (thick restart); Mathias 1998, "Quadratic residual bounds for the Hermitian eigenvalue
        problem".

    Example:
        >>> from kazami.curvature import HessianProducts
        >>> x = torch.ones(4, dtype=torch.float64, requires_grad=True)
        >>> loss = (torch.tensor([3.0, 3.0, -2.0, 1.0]) * x**2).sum() / 2
        >>> found = extreme_eigenvalues(HessianProducts(loss, [x]), 2, generator=torch.Generator().manual_seed(0))
        >>> [round(value, 9) for value in found.values.tolist()]
        [3.0, 3.0]
    """
    if which not in ENDS:
        raise unknown_name("end of the spectrum", which, ENDS)
    if not 1 <= k <= operator.n_entries:
        raise UsageError(f"k should be between 1 and the number of parameters, {operator.n_entries}, but it is {k}.")
    rows = _rows_that_fit(operator, k) if max_rows is None else max_rows
    space = _KrylovSpace(operator, k, which, generator)
    while True:
        is_exhausted = space.grow()
        if not space.is_finite:
            return space.not_finite()
        errors = space.errors()
        targets = tolerance * space.wanted().abs().clamp_min(NEAR_ZERO * float(space.values.abs().max()))
        converged = len(space.values) >= k and bool((errors <= targets).all())
        if converged or is_exhausted or space.n_products + k > max(max_products, 2 * k):
            return space.result(errors, converged or is_exhausted)
        if len(space.basis) + 2 * k > rows:
            space.restart((rows - k) // 2)


def _rows_that_fit(operator: SymmetricOperator, k: int) -> int:
    row = operator.n_entries * torch.finfo(operator.dtype).bits // 8
    free = available_bytes(operator.device)
    least = 4 * k + 4  # two blocks of the basis, the block in work, and the combination of a restart
    if least * row > free // 2:
        raise UsageError(
            f"{k} eigenvalues of {operator.n_entries} parameters need at least {gibibytes(least * row)} for vectors, and {gibibytes(free)} are free. "
            "Ask for fewer (k=1), for dtype=torch.float32, or for the trace, which needs three vectors."
        )
    return max(least, free // (4 * row))


class _KrylovSpace:
    """The basis, the operator in it, and the Ritz pairs; grows by a block at a time."""

    def __init__(self, operator: SymmetricOperator, k: int, which: Which, generator: torch.Generator) -> None:
        self.operator, self.k, self.which = operator, k, which
        self.basis = Basis(operator.n_entries, torch.zeros(1, dtype=operator.dtype, device=operator.device))
        _, self.block, _ = orthonormalised(random_rows(operator, k, generator), self.basis)
        self.projected = torch.zeros(0, 0, dtype=torch.float64)
        self.coupling = torch.zeros(0, 0, dtype=torch.float64)
        self.n_products, self.noise, self.n_last = 0, 0.0, 0
        self.is_finite = True
        # One vector without a restart is a chain whose looseness is known without looking; a block, or what a restart leaves, is looked at each time.
        self.loose = Looseness(torch.finfo(operator.dtype).eps) if k == 1 else None
        self.seen: list[tuple[Tensor, Tensor]] = []
        self.values, self.weights = torch.zeros(0, dtype=torch.float64), torch.zeros(0, 0, dtype=torch.float64)

    def grow(self) -> bool:
        """Take the block into the basis and find the next; return whether nothing lies outside any more."""
        was_coupled, n_before = self.coupling, len(self.basis)
        self.basis.add(self.block)
        across = torch.stack([self.operator.flat_product(row) for row in self.block])
        self.n_products += len(self.block)
        since = n_before - was_coupled.shape[1]  # the rows before those meet the products by rounding only
        overlaps, self.block, inside = orthonormalised(across, self.basis, since=since, is_measured=self.loose is None)
        overlaps = overlaps.double().cpu()
        self.is_finite = bool(torch.isfinite(overlaps).all())
        if not self.is_finite:
            return True
        size, new = len(overlaps), slice(n_before, None)
        grown = torch.zeros(size, size, dtype=torch.float64)
        grown[:n_before, :n_before] = self.projected
        grown[:, new] = overlaps
        if was_coupled.numel():  # the same numbers seen from the other side: how far they differ is the products' own error
            seen = slice(n_before - was_coupled.shape[1], n_before)
            self.noise = max(self.noise, float((overlaps[seen] - was_coupled.T).abs().max()))
        grown[new, :] = overlaps.T
        grown[new, new] = (overlaps[new] + overlaps[new].T) / 2.0
        self.projected, self.coupling, self.n_last = grown, inside.double().cpu(), size - n_before
        self.values, self.weights = torch.linalg.eigh(grown)
        self._keep_orthogonal()
        return len(self.block) == 0 or size >= self.operator.n_entries

    def _keep_orthogonal(self) -> None:
        """Make the next vector of a single chain orthogonal to the whole basis where that is due."""
        if self.loose is None or not len(self.block):
            return
        if self.loose.must_clean(self.projected.diagonal().tolist(), [*self.projected.diagonal(1).tolist(), float(self.coupling)], self.noise):
            self.basis.remove(self.block, self.basis.overlaps(self.block))
            self.block.div_(torch.linalg.vector_norm(self.block))

    def order(self) -> Tensor:
        """Return the indices of the Ritz values, best first."""
        key = {"largest": self.values, "smallest": -self.values, "magnitude": self.values.abs()}[self.which]
        return torch.argsort(key, descending=True)

    def wanted(self) -> Tensor:
        """Return the wanted Ritz values, best first."""
        return self.values[self.order()[: self.k]]

    def errors(self) -> Tensor:
        """Return the bounds of the wanted values."""
        residuals = torch.linalg.vector_norm(self.coupling @ self.weights[-self.n_last :], dim=0) if self.coupling.numel() else torch.zeros_like(self.values)
        count, last = min(self.k, len(self.values)), len(self.values) - 1
        lower = _bounds(self.values, residuals, count)
        upper = _bounds(-self.values.flip(0), residuals.flip(0), count)
        chosen = self.order()[:count]
        sides = [(upper, last - index) if self._is_upper(index) else (lower, index) for index in chosen.tolist()]
        plain, by_gap = (torch.tensor([side[number][place] for side, place in sides], dtype=torch.float64) for number in (0, 1))
        return torch.minimum(plain, self._standing(self.values[chosen], by_gap))

    def _is_upper(self, index: int) -> bool:
        return self.which == "largest" or (self.which == "magnitude" and float(self.values[index]) > 0.0)

    def _standing(self, values: Tensor, by_gap: Tensor) -> Tensor:
        """Return the bounds that a gap gives, no less than the wanted ``values`` have moved by lately; infinite where that is more than such a bound foretold.

        Early on a whole cluster looks like one eigenvalue with a wide gap; its Ritz value goes on moving and gives it away.
        """
        self.seen.append((values, by_gap))
        blocks = -(-LOOK_BACK // self.k)
        if len(self.seen) <= blocks or len(self.seen[-1 - blocks][0]) != len(values):
            return torch.full_like(by_gap, torch.inf)
        before, foretold = self.seen[-2]
        stands = foretold.isfinite() & ((values - before).abs() <= foretold + self.floor())
        moved = (values - self.seen[-1 - blocks][0]).abs()
        return torch.where(stands, torch.maximum(by_gap, moved), torch.inf)

    def floor(self) -> float:
        """Return what rounding leaves open: as many additions as Ritz values, and what the products were seen to differ by."""
        rounding = torch.finfo(self.operator.dtype).eps * len(self.values)
        return max(rounding * float(self.values.abs().max()), self.noise)

    def restart(self, keep: int) -> None:
        """Keep only the best Ritz vectors; the block goes on from where it is."""
        kept = self.order()[: max(self.k, keep)]
        rows = self.basis.combined(self.weights[:, kept])
        coupled = self.coupling @ self.weights[-self.n_last :, kept]
        self.basis = Basis(self.operator.n_entries, rows)
        self.basis.add(rows)
        self.projected, self.loose = torch.diag(self.values[kept]), None
        self.coupling, self.n_last = coupled, len(kept)
        self.values, self.weights = self.values[kept], torch.eye(len(kept), dtype=torch.float64)

    def result(self, errors: Tensor, converged: bool) -> Extremes:
        """Return what was found."""
        kept = self.order()[: self.k]
        floor = self.floor()
        vectors, ends = self.basis.combined(self.weights[:, kept]), (float(self.values.min()), float(self.values.max()))
        return Extremes(self.values[kept], vectors, errors.clamp_min(floor), self.n_products, converged, *ends, floor)

    def not_finite(self) -> Extremes:
        """Return the answer to an operator that is not finite."""
        nothing = torch.full((self.k,), float("nan"), dtype=torch.float64)
        nowhere = float("nan")
        return Extremes(nothing, self.basis.combined(torch.eye(len(self.basis), self.k)), nothing, self.n_products, False, nowhere, nowhere, nowhere)


def _bounds(rising: Tensor, residuals: Tensor, count: int) -> tuple[list[float], list[float]]:
    """Return the plain bounds of the first ``count`` of the Ritz values ``rising``, ascending, and those by a gap (for the upper end: negated, reversed)."""
    values, errors = rising.tolist(), residuals.tolist()
    squared = torch.cumsum(residuals.square(), 0).tolist()
    by_gap = [math.inf] * len(values)
    for index in range(min(count + LOOK_BEYOND, len(values) - 1)):
        gap = values[index + 1] - values[index] - errors[index + 1]
        if gap > 0.0 and errors[index + 1] <= RESOLVED * gap:
            by_gap[index] = squared[index] / gap
    return [2.0 * max(errors[: index + 1]) for index in range(count)], [min(by_gap[index:]) for index in range(count)]
