"""The mean of curvature matrices over batches, weighted by their sizes, in the coordinates of a preconditioner."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .lanczos import SymmetricOperator


class MeanProducts:
    r"""Products with :math:`P^{-1/2}\bigl(\sum_b s_b A_b + W\bigr)P^{-1/2}`, where batch :math:`b` has the share :math:`s_b` of all examples.

    Args:
        make: Gives the operator of a batch by its number.
        shares: One per batch, adding up to 1.
        parameters: What the vectors are shaped like, for dtype, device and size.
        is_kept: Whether the operators of all batches are kept with their graphs; else each product builds them again, one after another.
        preconditioner: The diagonal of :math:`P`, one tensor shaped like each parameter; ``inf`` marks an entry that does not move.
        penalties: One coefficient of coupled weight decay per parameter, the diagonal of :math:`W`.

    Example:
        >>> from kazami.curvature import HessianProducts
        >>> x = torch.tensor([1.0], requires_grad=True)
        >>> mean = MeanProducts(lambda b: HessianProducts((x**2).sum() * (b + 1) / 2, [x]), [0.25, 0.75], [x])
        >>> mean.flat_product(torch.ones(1))
        tensor([1.7500])
    """

    def __init__(
        self,
        make: Callable[[int], SymmetricOperator],
        shares: Sequence[float],
        parameters: Sequence[Tensor],
        *,
        is_kept: bool = True,
        preconditioner: Sequence[Tensor] | None = None,
        penalties: Sequence[float] | None = None,
    ) -> None:
        """Nothing is built before the first product."""
        self._make, self._shares, self._is_kept = make, shares, is_kept
        self._kept: dict[int, SymmetricOperator] = {}
        self.dtype, self.device = parameters[0].dtype, parameters[0].device
        sizes = [parameter.numel() for parameter in parameters]
        self.n_entries, self.n_products = sum(sizes), 0
        scale = None if preconditioner is None else torch.cat([part.detach().to(parameters[0]).reshape(-1) for part in preconditioner])
        self.inverse_root = None if scale is None else scale.rsqrt()
        self._penalty: Tensor | None = None
        if penalties is not None and any(penalties):
            self._penalty = torch.cat([parameters[0].new_full((size,), penalty, requires_grad=False) for size, penalty in zip(sizes, penalties, strict=True)])

    def flat_product(self, vector: Tensor) -> Tensor:
        """Return the mean matrix times ``vector``, shape ``(n_entries,)``."""
        self.n_products += 1
        scaled = vector if self.inverse_root is None else vector * self.inverse_root
        total = self._operator(0).flat_product(scaled)  # a new vector, ours
        if self._shares[0] != 1.0:
            total.mul_(self._shares[0])
        for index, share in enumerate(self._shares[1:], start=1):
            total.add_(self._operator(index).flat_product(scaled), alpha=share)
        if self._penalty is not None:
            total.addcmul_(self._penalty, scaled)
        return total if self.inverse_root is None else total.mul_(self.inverse_root)

    def along_by_batch(self, rows: Tensor) -> Tensor:
        """Return the curvature that each batch alone has along each of the unit ``rows``, shape ``(k, n_entries)``; the answer has shape ``(batches, k)``."""
        scaled = rows if self.inverse_root is None else rows * self.inverse_root
        shared = 0.0 if self._penalty is None else (self._penalty * scaled.square()).sum(1)
        found = []
        for index in range(len(self._shares)):
            operator = self._operator(index)
            found.append(torch.stack([torch.dot(row, operator.flat_product(row)) for row in scaled]) + shared)
        return torch.stack(found)

    def _operator(self, index: int) -> SymmetricOperator:
        kept = self._kept.get(index)
        if kept is None:
            kept = self._make(index)
            if self._is_kept:
                self._kept[index] = kept
        return kept


def dense(operator: SymmetricOperator) -> Tensor:
    """Return the whole matrix of an operator, shape ``(n_entries, n_entries)``, symmetric to the last bit: one product per column.

    Example:
        >>> from kazami.curvature import HessianProducts
        >>> x = torch.ones(2, requires_grad=True)
        >>> dense(HessianProducts(x.prod(), [x])).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    unit = torch.zeros(operator.n_entries, dtype=operator.dtype, device=operator.device)
    columns = []
    for index in range(operator.n_entries):
        unit[index] = 1.0
        columns.append(operator.flat_product(unit))
        unit[index] = 0.0
    matrix = torch.stack(columns)
    return (matrix + matrix.T) / 2.0
