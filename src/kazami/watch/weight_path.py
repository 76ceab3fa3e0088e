"""Weights along the way of a script, and what tells that they or their gradients were changed by other means than backward and the optimizer."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

MOST_PATH_BYTES = 512 * 2**20


class WeightPath:
    """Weights along the way; where they would take too much memory every second step is dropped."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self._rows: list[dict[int, Tensor]] = []
        self._stride = 1
        self._bytes = 0

    def add(self, step: int, weights: Iterable[Tensor]) -> None:
        """Keep the weights as they are after a step, 0 for before the first."""
        if step % self._stride:
            return
        row = {id(weight): weight.detach().flatten().to("cpu", torch.float32, copy=True) for weight in weights}
        self.steps.append(step)
        self._rows.append(row)
        self._bytes += sum(part.nbytes for part in row.values())
        if self._bytes > MOST_PATH_BYTES:
            self.steps, self._rows, self._stride = self.steps[::2], self._rows[::2], 2 * self._stride
            self._bytes = sum(part.nbytes for kept in self._rows for part in kept.values())

    def rows(self, order: Sequence[int], first: Callable[[int], Tensor]) -> Tensor:
        """Return one row per step.

        Args:
            order: Identities of the weights, in the order they should have.
            first: Gives the first value of a weight that an early row does not know yet.
        """
        return torch.stack(
            [torch.cat([row[key] if key in row else first(key).detach().flatten().to("cpu", torch.float32) for key in order]) for row in self._rows]
        )


def fingerprint(tensors: Iterable[Tensor | None]) -> list[float]:
    """Return numbers that differ as soon as one of the tensors does, all but surely."""
    return [0.0 if tensor is None else number for tensor in tensors for number in _two_sums(tensor)]


def _two_sums(tensor: Tensor | None) -> tuple[float, float]:
    if tensor is None:
        return 0.0, 0.0
    dense = tensor.detach().to_dense().double().nan_to_num(posinf=1e290, neginf=-1e290)  # sums of them stay finite, and equal themselves
    return float(dense.sum()), float(dense.abs().sum())
