"""What an observable is: a name, a unit, the moment at which it can be measured, and the measurement."""

from abc import ABC, abstractmethod
from functools import cache
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ...registry import plugins
from ..layers import Sight

Moment = Literal["forward", "backward", "before_step", "after_step"]
LARGEST_SAMPLE = 65536


class AbstractObservable(ABC):
    """One number per layer and recorded step.

    Measuring must leave every tensor of the training as it is: it reads detached tensors inside the moment and keeps no reference to them.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    moment: ClassVar[Moment]

    @abstractmethod
    def measure(self, sight: Sight) -> float:
        """Return the number, NaN where the layer does not show it."""


@cache
def all_observables(moment: Moment) -> tuple[AbstractObservable, ...]:
    """Return one instance of every observable of a moment."""
    return tuple(kind() for kind in plugins("kazami.watch.observables", AbstractObservable) if kind.moment == moment)  # type: ignore[type-abstract]


def sample(tensor: Tensor, largest: int = LARGEST_SAMPLE) -> Tensor:
    """Return ``tensor`` flattened, thinned by a fixed stride to at most about ``largest`` numbers; a view where memory allows."""
    flat = tensor.detach().reshape(-1)
    stride = -(-flat.numel() // largest)
    return flat if stride <= 1 else flat[::stride]


def signal(tensor: Tensor, unit_axis: int = -1, most_rows: int = 512) -> Tensor:
    """Return an activation as a table ``(rows, units)``: every sample, place and time is a row; thinned to about ``most_rows`` rows, float32 or wider."""
    tensor = tensor.detach()
    if tensor.dim() < 2:
        tensor = tensor.reshape(-1, 1)
    if unit_axis != -1 and tensor.dim() > 2:
        tensor = tensor.movedim(unit_axis, -1)
    table = tensor.reshape(-1, tensor.shape[-1])
    stride = max(table.shape[0] // most_rows, 1)
    table = table[::stride] if stride > 1 else table
    return table if table.dtype in (torch.float32, torch.float64) else table.float()
