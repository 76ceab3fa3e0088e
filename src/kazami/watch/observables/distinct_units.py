"""Share of a layer's units that differ from one another, in weights and in gradients."""

from typing import ClassVar

import torch
from torch import Tensor

from ..layers import Sight
from ._base import AbstractObservable, Moment

MOST_WEIGHTS = 4_000_000


class DistinctUnits(AbstractObservable):
    """Number of different units divided by the number of units, where two units are the same if their weights and their gradients are the same.

    Rows are compared by one fixed incommensurable projection, exact up to rounding: units that are made equal stay equal under any gradient method.
    """

    name: ClassVar = "distinct_units"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "before_step"

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN for layers without at least two units or without a gradient."""
        weight, gradient = sight.weight.detach(), sight.gradient
        if gradient is None or weight.dim() < 2 or sight.layer.kind in ("norm", "embedding") or weight.numel() > MOST_WEIGHTS or sight.layer.fan_out < 2:
            return float("nan")
        axis = 0 if weight.shape[0] == sight.layer.fan_out else -1
        keys = torch.stack([_projected(weight, axis), _projected(gradient.detach(), axis)], 1)
        scale = keys.abs().amax(0, keepdim=True)
        keys = torch.where(scale > 0, keys / scale.clamp(min=1e-300), keys)
        return torch.unique((keys * 1e5).round(), dim=0).shape[0] / keys.shape[0]


def _projected(matrix: Tensor, axis: int) -> Tensor:
    rows = matrix.movedim(axis, 0).reshape(matrix.shape[axis], -1).double()
    probe = torch.sin(torch.arange(1, rows.shape[1] + 1, dtype=torch.float64, device=rows.device) * 1.7) + 1.3
    return rows @ probe
