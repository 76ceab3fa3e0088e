"""Lanczos by its three-term recurrence: how far the basis has come loose is followed by arithmetic on scalars, and it is cleaned only when it must be."""

import math
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]
LOCAL = 0.1  # a vector shorter than this part of the product it came from is cleaned of its two neighbours once more: most of it was subtracted
AGAIN = 0.01  # overlaps beyond this part of the length were not foreseen: what one subtraction leaves of them is subtracted too
LEFT = 10.0  # in rounding units of the product: what is shorter is nothing but rounding


class SymmetricOperator(Protocol):
    """What Lanczos needs to know of an operator; :class:`~kazami.curvature.products.HessianProducts` is one."""

    n_entries: int
    dtype: torch.dtype
    device: torch.device

    def flat_product(self, vector: Tensor) -> Tensor:
        """Return a new vector of shape ``(n_entries,)``: the operator times ``vector``."""
        ...


class Looseness:
    r"""Estimates the overlaps :math:`\omega_{jk} = q_j^\top q_k` of a Lanczos basis from its coefficients alone.

    .. math::

        \beta_j \omega_{j+1,k} = \beta_k \omega_{j,k+1} + (\alpha_k - \alpha_j)\omega_{jk} + \beta_{k-1}\omega_{j,k-1} - \beta_{j-1}\omega_{j-1,k} + \vartheta

    Rounding in the products, :math:`\vartheta`, is what they were seen to differ by, at least one unit of the largest entry of the matrix, with the sign that
    makes things worse. In float32 a product with a Hessian is often a hundred units off.

    Args:
        rounding: The rounding unit of the vectors.

    References:
        Simon 1984, "The Lanczos algorithm with partial reorthogonalization".

    Example:
        >>> loose = Looseness(1e-16)
        >>> loose.must_clean([1.0], [0.5])  # two vectors, made orthogonal just now
        False
    """

    def __init__(self, rounding: float) -> None:
        """Begin with one vector."""
        self._rounding = rounding
        self._is_due = False
        self._now: Floats = np.ones(1)
        self._before: Floats = np.zeros(0)

    def must_clean(self, diagonal: list[float], beside: list[float], noise: float = 0.0) -> bool:
        """Return whether the next vector must be made orthogonal to the whole basis, and take it that it will be.

        That is where an overlap reaches the root of the rounding unit, and for the vector after it too, since the recurrence carries two.

        Args:
            diagonal: The coefficients so far.
            beside: The couplings so far; the last, not zero, is that to the next vector.
            noise: How far from symmetric the products were.
        """
        size = len(diagonal)
        along, across = np.array(diagonal), np.array(beside)
        noise = max(noise, self._rounding * float(max(np.abs(along).max(), across.max())))
        found = np.full(size + 1, self._rounding)
        if size > 1:
            now, before = self._now, self._before
            moved = across[:-1] * now[1:] + (along[:-1] - along[-1]) * now[:-1] - across[-2] * before
            moved[1:] += across[:-2] * now[:-2]
            found[: size - 1] = (moved + np.copysign(noise, moved)) / across[-1]
            found[size - 1] = max(self._rounding, noise / across[-1])
        found[size] = 1.0
        self._before, self._now = self._now, found
        is_reached = float(np.abs(found[:-1]).max()) > math.sqrt(self._rounding)
        if not (is_reached or self._is_due):
            return False
        self._is_due = is_reached and not self._is_due
        found[:-1] = self._rounding
        return True


class ThreeTerm:
    r"""The Krylov space of one vector, grown by one product a step.

    In exact arithmetic :math:`\beta_j q_{j+1} = A q_j - \alpha_j q_j - \beta_{j-1} q_{j-1}` is orthogonal to all that came before. With rounding it stays so
    until a Ritz value has converged; a basis that is orthogonal to the root of the rounding unit gives the same tridiagonal matrix as an exact one, up to
    rounding. So the whole basis is touched only when :class:`Looseness` says so.

    Args:
        operator: Any symmetric operator.
        start: Shape ``(n_entries,)``, not zero; it is used up.

    Attributes:
        rows: The basis so far, unit vectors.
        diagonal: One coefficient per product.
        beside: How each vector is coupled to the next; 0 where the space is exhausted, not a number where a product was not finite.
        n_cleaned: How many vectors were made orthogonal to the whole basis.
        noise: How far from symmetric the products were seen to be.

    References:
        Lanczos 1950; Paige 1976; Simon 1984.

    Example:
        >>> from kazami.curvature import HessianProducts
        >>> x = torch.ones(2, dtype=torch.float64, requires_grad=True)
        >>> space = ThreeTerm(HessianProducts((torch.tensor([1.0, 3.0]) * x**2).sum() / 2, [x]), torch.ones(2, dtype=torch.float64))
        >>> while space.advance(): pass
        >>> [round(entry, 12) for entry in (*space.diagonal, *space.beside)]
        [2.0, 2.0, 1.0, 0.0]
    """

    def __init__(self, operator: SymmetricOperator, start: Tensor) -> None:
        """Begin with the start vector, made a unit vector in place."""
        self._operator = operator
        self._rounding = torch.finfo(operator.dtype).eps
        self._loose = Looseness(self._rounding)
        self._next = start.div_(torch.linalg.vector_norm(start))
        self.rows: list[Tensor] = []
        self.diagonal: list[float] = []
        self.beside: list[float] = []
        self.n_cleaned = 0
        self.noise = 0.0

    def advance(self) -> bool:
        """Make one product; return whether another would tell more."""
        row = self._next
        self.rows.append(row)
        across = self._operator.flat_product(row)
        before = float(torch.linalg.vector_norm(across))
        along = float(torch.dot(across, row))
        self.diagonal.append(along)
        if not math.isfinite(along) or not math.isfinite(before):
            self.beside.append(math.nan)
            return False
        length = self._without_neighbours(across, along, before)
        self.beside.append(length)
        if length > 0.0:
            self.beside[-1] = length = self._cleaned_if_due(across, length, before)
        if length > 0.0:
            self._next = across.div_(length)
        return length > 0.0

    def combined(self, weights: list[float]) -> Tensor:
        """Return the combination of the rows with ``weights``."""
        total = self.rows[0] * weights[0]
        for row, weight in zip(self.rows[1:], weights[1:], strict=True):
            total.add_(row, alpha=weight)
        return total

    def _without_neighbours(self, across: Tensor, along: float, before: float) -> float:
        """Subtract what exact arithmetic would, in place; return the length that is left, 0 if that is rounding."""
        if len(self.rows) > 1:
            seen = float(torch.dot(across, self.rows[-2]))  # the coupling once more, from the other side
            self.noise = max(self.noise, abs(seen - self.beside[-1]))
            across.sub_(self.rows[-2], alpha=seen)
        across.sub_(self.rows[-1], alpha=along)
        length = float(torch.linalg.vector_norm(across))
        if LEFT * self._rounding * before < length < LOCAL * before:
            for row in self.rows[-2:]:
                across.sub_(row, alpha=float(torch.dot(across, row)))
            length = float(torch.linalg.vector_norm(across))
        return length if length > LEFT * self._rounding * before else 0.0

    def _cleaned_if_due(self, across: Tensor, length: float, before: float) -> float:
        """Make ``across`` orthogonal to the whole basis where that is due; return its length."""
        if not self._loose.must_clean(self.diagonal, self.beside, self.noise):
            return length
        for _ in range(2):
            overlaps = torch.stack([torch.dot(across, row) for row in self.rows]).tolist()  # one read-back from the device
            for row, overlap in zip(self.rows, overlaps, strict=True):
                across.sub_(row, alpha=overlap)
            if max(map(abs, overlaps)) <= AGAIN * length:
                break
        self.n_cleaned += 1
        length = float(torch.linalg.vector_norm(across))
        return length if length > LEFT * self._rounding * before else 0.0
