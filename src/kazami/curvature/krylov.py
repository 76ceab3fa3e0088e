"""A growing orthonormal basis, and the tridiagonal matrix that a symmetric operator becomes in it."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from .three_term import LEFT, LOCAL, SymmetricOperator, ThreeTerm

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

    def overlaps(self, vectors: Tensor, since: int = 0) -> Tensor:
        """Return the inner products of the rows from number ``since`` on with ``vectors`` of shape ``(b, n_entries)``, shape ``(len(self) - since, b)``."""
        parts = [rows @ vectors.T for rows in self._rows(since)]
        return torch.cat(parts) if parts else vectors.new_zeros(0, len(vectors))

    def remove(self, vectors: Tensor, coefficients: Tensor, since: int = 0) -> None:
        """Subtract from ``vectors``, in place, the combinations of the rows from ``since`` on given by ``coefficients`` of shape ``(len(self) - since, b)``."""
        at = 0
        for rows in self._rows(since):
            vectors.addmm_(coefficients[at : at + len(rows)].T, rows, alpha=-1.0)
            at += len(rows)

    def _rows(self, since: int) -> Iterator[Tensor]:
        for number, (chunk, filled) in enumerate(zip(self._chunks, self._filled, strict=True)):
            first = max(0, since - number * CHUNK)
            if first < filled:
                yield chunk[first:filled]

    def combined(self, weights: Tensor) -> Tensor:
        """Return the combinations given by ``weights`` of shape ``(len(self), k)``, as rows of shape ``(k, n_entries)``."""
        total = self._like.new_zeros(weights.shape[1], self._n_entries)
        for chunk, filled, part in zip(self._chunks, self._filled, weights.to(total).split(self._filled), strict=True):
            total.addmm_(part.T, chunk[:filled])
        return total


def orthonormalised(vectors: Tensor, basis: Basis, *, since: int = 0, is_measured: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """Return what of ``vectors``, shape ``(b, n)``, lies in ``basis`` and an orthonormal set for what does not; ``vectors`` is used up.

    Args:
        vectors: Rows.
        basis: The basis.
        since: The rows before this number are known to be orthogonal to ``vectors`` but for rounding.
        is_measured: Whether that is looked at in the end, and subtracted where it exceeds the root of the rounding unit (Simon 1984).

    Returns:
        The overlaps with the basis, shape ``(len(basis), b)``; new rows, shape ``(c, n)`` with c ≤ b (what is left by rounding only is dropped); and the
        coefficients of ``vectors`` in the new rows, shape ``(c, b)``.
    """
    rounding = torch.finfo(vectors.dtype).eps
    before = torch.linalg.vector_norm(vectors, dim=1)
    overlaps = vectors.new_zeros(len(basis), len(vectors))
    overlaps[since:] = basis.overlaps(vectors, since)
    basis.remove(vectors, overlaps[since:], since)
    for _ in range(2 if is_measured and len(basis) else 0):
        again = basis.overlaps(vectors)
        if bool((again.abs().amax(0) <= math.sqrt(rounding) * torch.linalg.vector_norm(vectors, dim=1)).all()):
            break
        basis.remove(vectors, again)
        overlaps += again
    new: list[Tensor] = []
    inside = vectors.new_zeros(len(vectors), len(vectors))
    for index, vector in enumerate(vectors):
        alone = float(torch.linalg.vector_norm(vector))
        for _ in range(2 if new else 0):
            for place, row in enumerate(new):
                along = torch.dot(row, vector)
                vector.sub_(row, alpha=float(along))
                inside[place, index] += along
            if float(torch.linalg.vector_norm(vector)) < LOCAL * alone:  # nearly parallel to another: what little lay in the basis is not little any more
                basis.remove(vector[None], basis.overlaps(vector[None]))
        length = torch.linalg.vector_norm(vector)
        if float(length) > LEFT * rounding * float(before[index]):
            inside[len(new), index] = length
            new.append(vector.div_(length))
    if len(new) == len(vectors):
        return overlaps, vectors, inside
    rows = torch.stack(new) if new else vectors.new_zeros(0, vectors.shape[1])
    return overlaps, rows, inside[: len(new)]


def random_rows(operator: SymmetricOperator, count: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` rows of normal random numbers; the global stream is not touched."""
    drawn = torch.randn(count, operator.n_entries, generator=generator, dtype=operator.dtype, device=generator.device)
    return drawn.to(operator.device)


def tridiagonal(operator: SymmetricOperator, start: Tensor, steps: int) -> tuple[list[float], list[float]]:
    """Return diagonal and off-diagonal of the operator in the Krylov basis of ``start``, shape ``(n_entries,)``; one product a step; ``start`` is used up.

    Shorter than ``steps`` where the space is exhausted; ends at a product that is not finite.
    """
    space = ThreeTerm(operator, start)
    while space.advance() and len(space.rows) < min(steps, operator.n_entries):
        pass
    return space.diagonal, space.beside[:-1]
