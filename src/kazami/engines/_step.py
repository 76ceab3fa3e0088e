"""One optimizer step of all members as a pure function of tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from ..maps import TrainingMap
from ..maps._updates import Move, Update
from ._base import Member, fresh


class StackedStep:
    """The step of a training, for states of shape ``(members, dimension)``.

    Args:
        m: The map of the training.
        keeps: Names of parameters and buffers that members have of their own though the optimizer does not move them.
    """

    def __init__(self, m: TrainingMap, keeps: Sequence[str]) -> None:
        """Look which of them change in a step."""
        self.m, self.layout, self.keeps = m, m.layout, tuple(keeps)
        self.in_state = tuple(name for name, _, _ in m.layout.buffers)
        self._update = Update(m.layout, m.update.rule, m.update.clip, is_pure=True)
        self.changing = tuple(name for name in m.resting_buffers if name in self.keeps)
        self._rests = _mask(m)

    def __call__(
        self, states: Tensor, kept: Sequence[Tensor], moves: Sequence[Move], batch: Any, vectors: Tensor | None = None
    ) -> tuple[Tensor, Tensor, list[Tensor], Tensor | None]:
        """Return the losses before the step, the states after it, what changed of ``kept``, and ``vectors``, shape ``(members, dimension, k)``, carried on."""
        losses, gradient, changed, turned = self._differentiated(states, kept, batch, vectors)
        update = self._update
        arrived = update.arrive(gradient, states)
        new = self._settled(states, update.next_state(states, arrived, moves), changed)
        carried = None
        if vectors is not None and turned is not None:
            arriving = update.arrive_tangents(gradient, turned, states, vectors)
            carried = update.next_tangents(states, arrived, vectors, arriving, moves)
            carried = carried if self._rests is None else torch.where(self._rests[:, None], vectors, carried)
        return losses, new, [changed[name] for name in self.changing], carried

    def _settled(self, old: Tensor, new: Tensor, changed: Mapping[str, Tensor]) -> Tensor:
        """Return the state with what the loss does not use as it was, and with the buffers that belong to it."""
        if self._rests is not None:
            new = torch.where(self._rests, old, new)
        if not self.in_state:
            return new
        before = self.layout.buffers[0][2].start
        return torch.cat([new[:, :before], *(changed[name].reshape(len(new), -1) for name in self.in_state)], dim=1)

    def _differentiated(self, states: Tensor, kept: Sequence[Tensor], batch: Any, vectors: Tensor | None) -> tuple[Tensor, Tensor, dict[str, Tensor], Any]:
        inputs, target = batch
        names, layout = self.layout.names, self.layout
        moving = dict(zip(names, layout.split(states), strict=True))
        resting = dict(zip(self.keeps, kept, strict=True))
        resting |= {name: states[:, place].reshape(-1, *buffer.shape) for name, buffer, place in layout.buffers}

        def loss(moving: dict[str, Tensor], resting: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            values = {**moving, **{name: tensor.clone() for name, tensor in resting.items()}}  # a step may write into its buffers
            found = self.m.training.loss(torch.func.functional_call(self.m.model, values, (inputs,)), target)
            return found, {name: values[name] for name in (*self.changing, *self.in_state)}

        def gradient(moving: dict[str, Tensor], resting: dict[str, Tensor]) -> Any:
            found, (value, changed) = torch.func.grad_and_value(loss, has_aux=True)(moving, resting)
            return found, (value, changed)

        def gradient_and_products(moving: dict[str, Tensor], resting: dict[str, Tensor], directions: dict[str, Tensor]) -> Any:
            found, pull, more = cast("Any", torch.func.vjp(lambda values: gradient(values, resting), moving, has_aux=True))
            return found, more, torch.func.vmap(lambda direction: pull(direction)[0])(directions)

        if vectors is None:
            found, (losses, changed) = torch.func.vmap(gradient, randomness="same")(moving, resting)
            return losses, _joined(found, names), changed, None
        directions = dict(zip(names, layout.split(vectors.mT), strict=True))
        found, (losses, changed), products = torch.func.vmap(gradient_and_products, randomness="same")(moving, resting, directions)
        turned = torch.cat([products[name].reshape(*products[name].shape[:2], -1) for name in names], dim=2).mT
        return losses, _joined(found, names), changed, turned


def _joined(parts: Mapping[str, Tensor], names: Sequence[str]) -> Tensor:
    return torch.cat([parts[name].reshape(len(parts[name]), -1) for name in names], dim=1)


def _mask(m: TrainingMap) -> Tensor | None:
    """Return which coordinates rest because the loss does not use their parameter; ``None`` where all move."""
    unused = set(m.unused)
    if not unused:
        return None
    rests = torch.zeros(m.dimension, dtype=torch.bool)
    of_parameters = torch.cat([torch.full((like.numel(),), name in unused) for name, like in zip(m.layout.names, m.layout.parameters, strict=True)])
    for block in m.layout.blocks:
        for place in (block.theta, *block.memory):
            rests[place] = of_parameters[block.theta]
    return rests


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """What members begin with.

    Attributes:
        parameters: Fresh parameters in the order of the state, shape ``(members, n_parameters)``.
        in_state: Buffers that belong to the state, shape ``(members, entries)``.
        kept: What else is theirs by name, shape ``(members, ...)``: buffers that change in a step, and whatever is not what
            the training's own seed makes.
    """

    parameters: Tensor
    in_state: Tensor
    kept: dict[str, Tensor]


def starts(m: TrainingMap, members: Sequence[Member]) -> Starts:
    """Return what ``members`` begin with: each as its own seed makes it."""
    begun = {seed: fresh(m, seed) for seed in dict.fromkeys(member.seed for member in members)}
    each = [begun[member.seed] for member in members]
    inside = [name for name, _, _ in m.layout.buffers]
    own_seed = begun[None] if None in begun else fresh(m, None)
    others = [name for name in own_seed if name not in m.layout.names and name not in inside]
    own = [name for name in others if name in m.resting_buffers or any(not torch.equal(one[name], own_seed[name]) for one in begun.values())]
    parameters = torch.stack([torch.cat([one[name].reshape(-1) for name in m.layout.names]) for one in each])
    in_state = torch.stack([torch.cat([parameters.new_zeros(0), *(one[name].reshape(-1) for name in inside)]) for one in each])
    return Starts(parameters, in_state, {name: torch.stack([one[name] for one in each]) for name in own})
