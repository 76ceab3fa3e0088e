"""Where everything lies in the phase space of a training: parameters, the optimizer's memory, accumulated gradients, buffers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .optimizers._base import AbstractOptimizerRule


@dataclass(frozen=True, slots=True)
class Block:
    """One parameter group.

    Attributes:
        group: Its index in ``optimizer.param_groups``.
        theta: Its parameters' entries.
        slots: Names of its optimizer state.
        memory: Where each slot lies, as many entries as ``theta``.
    """

    group: int
    theta: slice
    slots: tuple[str, ...]
    memory: tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The phase space, in this order: parameters by group, slots by group, accumulated gradients, buffers.

    Attributes:
        parameters: The tensors that the optimizer moves, each once (tied weights are one).
        names: Their names in the model.
        blocks: One per parameter group that moves anything.
        n_parameters: Number of entries of all parameters.
        gradient: Where gradients are kept that nobody sets to zero, or ``None``.
        buffers: Name, tensor and place of each buffer that belongs to the state.
        dimension: Number of coordinates.
    """

    parameters: tuple[nn.Parameter, ...]
    names: tuple[str, ...]
    blocks: tuple[Block, ...]
    n_parameters: int
    gradient: slice | None
    buffers: tuple[tuple[str, Tensor, slice], ...]
    dimension: int

    @property
    def sizes(self) -> list[int]:
        """Number of entries of each parameter."""
        return [parameter.numel() for parameter in self.parameters]

    def split(self, flat: Tensor) -> list[Tensor]:
        """Return views of the parameter part of ``flat``, shaped like the parameters; leading dimensions of ``flat`` stay."""
        parts = flat[..., : self.n_parameters].split(self.sizes, dim=-1)
        return [part.reshape((*flat.shape[:-1], *parameter.shape)) for part, parameter in zip(parts, self.parameters, strict=True)]

    def load_parameters(self, state: Tensor) -> None:
        """Write the parameters and the buffers in ``state`` into the model."""
        with torch.no_grad():
            torch._foreach_copy_(list(self.parameters), self.split(state))
            for _, buffer, place in self.buffers:
                buffer.copy_(state[place].view(buffer.shape))

    def read_buffers(self, into: Tensor) -> None:
        """Copy the model's buffers into their places in ``into``."""
        for _, buffer, place in self.buffers:
            into[place] = buffer.detach().reshape(-1)


def lay_out(
    model: nn.Module,
    groups: Sequence[Mapping[str, Any]],
    rule: AbstractOptimizerRule,
    *,
    keeps_gradients: bool = False,
    buffers: Sequence[tuple[str, Tensor]] = (),
) -> Layout:
    """Return the phase space of ``model`` under an optimizer with these parameter ``groups``."""
    names_of = {parameter: name for name, parameter in model.named_parameters()}
    moving = [[parameter for parameter in group["params"] if parameter.requires_grad] for group in groups]
    parameters = tuple(parameter for group in moving for parameter in group)
    total = position = sum(parameter.numel() for parameter in parameters)
    blocks, begin = [], 0
    for index, (group, members) in enumerate(zip(groups, moving, strict=True)):
        size = sum(parameter.numel() for parameter in members)
        slots = rule.slots(group)
        if size:
            memory = tuple(slice(position + number * size, position + (number + 1) * size) for number in range(len(slots)))
            blocks.append(Block(index, slice(begin, begin + size), slots, memory))
            begin, position = begin + size, position + len(slots) * size
    gradient = slice(position, position + total) if keeps_gradients else None
    position += total if keeps_gradients else 0
    placed = []
    for name, buffer in buffers:
        placed.append((name, buffer, slice(position, position + buffer.numel())))
        position += buffer.numel()
    names = tuple(names_of.get(parameter, f"parameter {number}") for number, parameter in enumerate(parameters))
    return Layout(parameters, names, tuple(blocks), total, gradient, tuple(placed), position)
