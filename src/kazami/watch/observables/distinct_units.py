"""Share of a layer's units that differ from one another, in weights and in gradients."""

from functools import cache
from typing import ClassVar

import torch
from torch import Tensor

from ..layers import Sight
from ..sharded import is_sharded
from ._base import AbstractObservable, Moment, real

MOST_WEIGHTS = 4_000_000
MOST_INPUTS = 192


class DistinctUnits(AbstractObservable):
    """Number of different units divided by the number of units, where two units are the same if their weights and their gradients are the same.

    Rows are compared by one fixed incommensurable projection of at most 192 evenly spaced inputs of each, exact up to rounding: units that are made equal
    stay equal under any gradient method.
    """

    name: ClassVar = "distinct_units"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "before_step"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN for layers without at least two units or without a gradient."""
        weight, gradient = sight.weight.detach(), sight.gradient
        if gradient is None or is_sharded(weight):
            return float("nan")
        if weight.dim() < 2 or sight.layer.kind in ("norm", "embedding") or weight.numel() > MOST_WEIGHTS or sight.layer.fan_out < 2:
            return float("nan")
        axis = 0 if weight.shape[0] == sight.layer.fan_out else -1
        keys = torch.stack([_projected(weight, axis), _projected(gradient.detach(), axis)])
        scale = keys.abs().amax(1, keepdim=True)
        keys = torch.where(scale > 0, keys / scale.clamp(min=1e-300), keys)
        if not bool(torch.isfinite(keys).all()):
            return float("nan")
        weights, gradients = (keys * 1e5).round().long()
        return float(torch.unique(weights * 1_000_003 + gradients).shape[0]) / keys.shape[1]  # both lie within ±100 000: no two pairs give one number


def _projected(matrix: Tensor, axis: int) -> Tensor:
    rows = real(matrix.movedim(axis, 0).reshape(matrix.shape[axis], -1))
    rows = rows[:, :: -(-rows.shape[1] // MOST_INPUTS)].double()
    return rows @ _probe(rows.shape[1], rows.device)


@cache
def _probe(size: int, device: torch.device) -> Tensor:
    return torch.sin(torch.arange(1, size + 1, dtype=torch.float64, device=device) * 1.7) + 1.3
