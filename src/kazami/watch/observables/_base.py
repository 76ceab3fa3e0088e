"""What an observable is: a name, a unit, the moment at which it can be measured, how often that is worth its cost, and the measurement."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ...registry import plugins
from ..graph import option, saved
from ..layers import Sight
from ..sharded import part_of

Moment = Literal["forward", "backward", "before_step", "after_step"]
LARGEST_SAMPLE = 8192
LINE = 16  # neighbours taken together: a cache line of float32, so that a thin sample costs no more memory traffic than it has numbers


class AbstractObservable(ABC):
    """One number per layer and recorded step.

    Measuring must leave every tensor of the training as it is: it reads detached tensors inside the moment and keeps no reference to them.

    Class attributes:
        name: The quantity.
        unit: Its unit.
        moment: When it can be measured.
        every: After the first recorded steps, which show everything, measured at each so many steps only (1, 4 or 16); it always costs more than it changes.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    moment: ClassVar[Moment]
    every: ClassVar[int] = 1

    @abstractmethod
    def measure(self, sight: Sight) -> float:
        """Return the number, NaN where the layer does not show it."""


@cache
def all_observables(moment: Moment, beat: int = 0) -> tuple[AbstractObservable, ...]:
    """Return one instance of every observable of a moment that is due ``beat`` steps after a step that showed everything."""
    found = plugins("kazami.watch.observables", AbstractObservable)
    return tuple(kind() for kind in found if kind.moment == moment and beat % kind.every == 0)


def sample(tensor: Tensor, largest: int = LARGEST_SAMPLE) -> Tensor:
    """Return a fixed sample of at most about ``largest`` numbers of ``tensor``, flat where it is whole: short runs of neighbours, evenly spread.

    A view where memory allows.
    """
    tensor = real(tensor.detach())
    size = tensor.numel()
    if size <= largest:
        return tensor.reshape(-1)
    if type(tensor) not in (Tensor, nn.Parameter) or not tensor.is_contiguous():
        return tensor.reshape(-1)[:: -(-size // largest)]
    lines = largest // LINE
    stride = (size // lines) | 1  # odd: not in step with the rows of the tensor
    return tensor.as_strided(((size - LINE) // stride + 1, LINE), (stride, 1))


def signal(tensor: Tensor, unit_axis: int = -1, most_rows: int = 256) -> Tensor:
    """Return an activation as a table ``(rows, units)``: every sample, place and time is a row; thinned to about ``most_rows`` rows, float32 or wider."""
    tensor = real(tensor.detach())
    if tensor.dim() < 2:
        tensor = tensor.reshape(-1, 1)
    if unit_axis != -1 and tensor.dim() > 2:
        tensor = _thinned(tensor, unit_axis, most_rows).movedim(unit_axis, -1)
    table = tensor.reshape(-1, tensor.shape[-1])
    stride = max(table.shape[0] // most_rows, 1)
    table = table[::stride] if stride > 1 else table
    return table if table.dtype in (torch.float32, torch.float64) else table.float()


def _thinned(tensor: Tensor, unit_axis: int, most_rows: int) -> Tensor:
    """Leave out places (never samples) of a map before its axes are moved, which would copy all of it."""
    places = [axis for axis in range(1, tensor.dim()) if axis != unit_axis]
    excess = tensor.numel() / max(tensor.shape[unit_axis], 1) / most_rows
    step = math.floor(excess ** (1 / len(places))) if excess > 1 else 1
    if step <= 1:
        return tensor
    return tensor[tuple(slice(None, None, min(step, max(tensor.shape[axis], 1))) if axis in places else slice(None) for axis in range(tensor.dim()))]


def real(tensor: Tensor) -> Tensor:
    """Return a complex tensor as a real one, real and imaginary parts side by side along the last axis, of a sharded one the part held here."""
    tensor = part_of(tensor)
    if not tensor.is_complex():
        return tensor
    parts = torch.view_as_real(tensor.resolve_conj())
    return parts.flatten(-2) if parts.dim() > 1 else parts


def norm_of(tensor: Tensor) -> float:
    """Return the Euclidean norm, added up in float32 or wider (float16 ends at 65504)."""
    tensor = part_of(tensor.detach())
    is_short = tensor.dtype in (torch.float16, torch.bfloat16)
    return float(torch.linalg.vector_norm(tensor, dtype=torch.float32 if is_short else None))


def norms_of(tensors: Sequence[Tensor]) -> list[float]:
    """Return the Euclidean norm of each tensor: all by one call and one transfer where they are alike, one by one where they are not."""
    if tensors and all(_is_plain(t) and t.get_device() == tensors[0].get_device() for t in tensors):
        return [float(norm) for norm in torch.stack(torch._foreach_norm([t.detach() if t.requires_grad else t for t in tensors])).tolist()]
    return [norm_of(tensor) for tensor in tensors]


def _is_plain(tensor: Tensor) -> bool:
    return type(tensor) in (Tensor, nn.Parameter) and tensor.dtype is torch.float32 and tensor.layout is torch.strided


def rectified(sight: Sight) -> Tensor | None:
    """Return the output of the ReLU that follows a layer, or its input where autograd saved that; both are above zero at the same places."""
    if sight.activation is None or sight.activated() != "relu":
        return None
    names = ("other", "self") if sight.activation.next_functions[0][0] is None else ("result", "self")
    return saved(sight.activation, *names)


def slopes(sight: Sight) -> Tensor | None:
    """Return |φ'(z)| / max|φ'| of the activation that follows a layer, on a sample of units and rows; ``None`` where it does not saturate on both sides."""
    kind = sight.activated()
    if kind in ("sigmoid", "tanh"):
        result = saved(sight.activation, "result")
        if result is None:
            return None
        result = sample(result).float()
        return 4 * result * (1 - result) if kind == "sigmoid" else 1 - result * result
    if kind in ("hardtanh", "hardsigmoid"):
        before = saved(sight.activation, "self")
        low, high = (-1.0, 1.0) if kind == "hardtanh" else (-3.0, 3.0)
        if before is None:
            return None
        before = sample(before)
        low = float(option(sight.activation, "min_val", low))
        high = float(option(sight.activation, "max_val", high))
        return ((before > low) & (before < high)).float()
    return None
