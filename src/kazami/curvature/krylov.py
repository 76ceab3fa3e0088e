"""A growing orthonormal basis, and the tridiagonal matrix that a symmetric operator becomes in it."""

import math

import torch
from torch import Tensor

from .lanczos import SymmetricOperator

CHUNK = 16  # rows allocated at once: a whole basis in advance touches memory that a quick solution never needs


class Basis:
    """Orthonormal vectors as rows, kept in chunks so that growing never copies them.

    Args:
        n_entries: Length of each vector.
        like: A tensor with the dtype and device to use.

    Example:
        >>> basis = Basis(3, torch.zeros(1))
        >>> basis.add(torch.tensor([[1.0, 0.0, 0.0]]))
        >>> basis.overlaps(torch.tensor([[2.0, 5.0, 0.0]])).tolist()
        [[2.0]]
    """

    def __init__(self, n_entries: int, like: Tensor) -> None:
        """Begin empty."""
        self._n_entries = n_entries
        self._like = like
        self._chunks: list[Tensor] = []
        self._filled: list[int] = []

    def __len__(self) -> int:
        """Return the number of vectors."""
        return sum(self._filled)

    def add(self, rows: Tensor) -> None:
        """Take in ``rows`` of shape ``(b, n_entries)``."""
        for row in rows:
            if not self._chunks or self._filled[-1] == CHUNK:
                self._chunks.append(self._like.new_empty(CHUNK, self._n_entries))
                self._filled.append(0)
            self._chunks[-1][self._filled[-1]] = row
            self._filled[-1] += 1

    def overlaps(self, vectors: Tensor) -> Tensor:
        """Return the inner products with ``vectors`` of shape ``(b, n_entries)``, shape ``(len(self), b)``."""
        if not self._chunks:
            return vectors.new_zeros(0, len(vectors))
        return torch.cat([chunk[:filled] @ vectors.T for chunk, filled in zip(self._chunks, self._filled, strict=True)])

    def remove(self, vectors: Tensor, coefficients: Tensor) -> None:
        """Subtract from ``vectors``, in place, the combinations given by ``coefficients`` of shape ``(len(self), b)``."""
        for chunk, filled, part in zip(self._chunks, self._filled, coefficients.split(self._filled), strict=True):
            vectors.addmm_(part.T, chunk[:filled], alpha=-1.0)

    def combined(self, weights: Tensor) -> Tensor:
        """Return the combinations given by ``weights`` of shape ``(len(self), k)``, as rows of shape ``(k, n_entries)``."""
        total = self._like.new_zeros(weights.shape[1], self._n_entries)
        for chunk, filled, part in zip(self._chunks, self._filled, weights.to(total).split(self._filled), strict=True):
            total.addmm_(part.T, chunk[:filled])
        return total


def orthonormalised(vectors: Tensor, basis: Basis) -> tuple[Tensor, Tensor, Tensor]:
    """Return what of ``vectors``, shape ``(b, n)``, lies in ``basis`` and an orthonormal set for what does not; ``vectors`` is used up.

    Returns:
        The overlaps with the basis, shape ``(len(basis), b)``; new rows, shape ``(c, n)`` with c ≤ b (what is left by rounding only is dropped); and the
        coefficients of ``vectors`` in the new rows, shape ``(c, b)``. Everything is subtracted twice, which leaves no more than rounding.
    """
    rounding = torch.finfo(vectors.dtype).eps
    before = torch.linalg.vector_norm(vectors, dim=1)
    overlaps = basis.overlaps(vectors)
    basis.remove(vectors, overlaps)
    again = basis.overlaps(vectors)
    basis.remove(vectors, again)
    new: list[Tensor] = []
    inside = vectors.new_zeros(len(vectors), len(vectors))
    for index, vector in enumerate(vectors):
        for _ in range(2):
            for place, row in enumerate(new):
                along = torch.dot(row, vector)
                vector.sub_(row * along)
                inside[place, index] += along
        length = torch.linalg.vector_norm(vector)
        if float(length) > 10.0 * rounding * float(before[index]):
            inside[len(new), index] = length
            new.append(vector / length)
    rows = torch.stack(new) if new else vectors.new_zeros(0, vectors.shape[1])
    return overlaps + again, rows, inside[: len(new)]


def random_rows(operator: SymmetricOperator, count: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` rows of normal random numbers; the global stream is not touched."""
    drawn = torch.randn(count, operator.n_entries, generator=generator, dtype=operator.dtype, device=generator.device)
    return drawn.to(operator.device)


def tridiagonal(operator: SymmetricOperator, start: Tensor, steps: int) -> tuple[list[float], list[float]]:
    """Return diagonal and off-diagonal of the operator in the Krylov basis of ``start``, shape ``(n_entries,)``; one product a step.

    Shorter than ``steps`` where the space is exhausted; ends at a product that is not finite.
    """
    basis = Basis(operator.n_entries, start)
    row = (start / torch.linalg.vector_norm(start))[None]
    diagonal: list[float] = []
    beside: list[float] = []
    for step in range(min(steps, operator.n_entries)):
        basis.add(row)
        across = operator.flat_product(row[0])[None]
        overlaps, row, inside = orthonormalised(across, basis)
        diagonal.append(float(overlaps[-1, 0]))
        if not math.isfinite(diagonal[-1]) or not len(row) or step + 1 == min(steps, operator.n_entries):
            break
        beside.append(float(inside[0, 0]))
    return diagonal, beside
