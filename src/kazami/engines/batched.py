"""Members in one tensor: stacked parameters, one vmapped gradient for all, and the optimizer's rule as a pure function."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..maps import Training, TrainingMap
from ._base import AbstractEngine, AbstractEnsemble, Member, first_state, map_of, own_dtype

FEWEST = 4  # below, vmap costs more than it saves


class Batched(AbstractEngine):
    """Runs an ensemble as one stacked training, with any settings per member.

    Limits:
        Every operation must be known to vmap, and no buffer that changes in a step may influence the loss; running statistics of BatchNorm are not kept.
        All members see the same batches and the same randomness. Chunks of members keep the tensors in the cache.

    References:
        PyTorch, "Model ensembling" (``torch.func``).
    """

    name: ClassVar = "batched"
    tolerance: ClassVar = 1e-9
    rank: ClassVar = 50

    def refusal(self, training: Training, members: Sequence[Member]) -> str | None:
        """Return why not: too few members, another phase space for some of them, a step that cannot be stacked."""
        if len(members) < FEWEST:
            return f"with fewer than {FEWEST} members a plain loop is faster."
        m = map_of(training, members[0], own_dtype(training))
        for member in members:
            for name, value in member.settings.items():
                m.set_parameter(name, value)
            if m.dimension != map_of(training, members[0], m.dtype).dimension:
                return "the members' optimizers do not keep the same memory."
        first = torch.stack([first_state(m, member) for member in (members[0], members[-1])])
        if not m.can_stack(first, 0):
            return "a step of this training cannot be stacked."
        buffers = {name: buffer.clone() for name, buffer in m.model.named_buffers()}
        m.advance(first[0], 0)
        changed = [name for name, buffer in m.model.named_buffers() if not torch.equal(buffer, buffers[name])]
        return f"the buffer {changed[0]} changes in a step and would be lost." if changed else None

    def open(self, training: Training, members: Sequence[Member]) -> AbstractEnsemble:
        """Return the stacked ensemble."""
        return _Stacked(training, members)


class _Stacked(AbstractEnsemble):
    def __init__(self, training: Training, members: Sequence[Member]) -> None:
        dtype = own_dtype(training)
        keys = list(dict.fromkeys(member.key for member in members))
        self._maps = [map_of(training, Member(settings=dict(key)), dtype) for key in keys]
        self._rows = [torch.tensor([index for index, member in enumerate(members) if member.key == key]) for key in keys]
        map_at: dict[int, TrainingMap] = {int(row): m for m, rows in zip(self._maps, self._rows, strict=True) for row in rows}
        starts = {seed: first_state(self._maps[0], Member(seed)) for seed in {member.seed for member in members}}
        self._states = torch.stack([starts[member.seed].clone() for member in members])
        for index, m in map_at.items():  # what the memory begins with may depend on the settings
            self._states[index, m.n_parameters :] = first_state(m, Member())[m.n_parameters :]
        self._time = 0
        self._chunk = max(FEWEST, 2**21 // max(self._maps[0].dimension, 1))

    @property
    def time(self) -> int:
        return self._time

    @property
    def states(self) -> Tensor:
        return self._states

    def set_states(self, states: Tensor) -> None:
        self._states = states.detach().clone().to(self._states)

    def step(self) -> Tensor:
        parts = [self._maps[0].gradients(part, self._time) for part in self._states.split(self._chunk)]
        gradients, losses = (torch.cat(pieces) for pieces in zip(*parts, strict=True))
        new = torch.empty_like(self._states)
        for m, rows in zip(self._maps, self._rows, strict=True):
            new[rows] = m.moved(self._states[rows], gradients[rows], self._time)
        self._states = new
        self._time += 1
        return losses

    def write_into(self, model: nn.Module, index: int) -> None:
        self._maps[0].write_into(model, self._states[index])
