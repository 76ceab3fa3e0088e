"""Members in one tensor: stacked parameters, one vmapped gradient for all, and the optimizer's rule as a pure function."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..maps import TrainingMap
from ._base import AbstractEngine, AbstractEnsemble, Grown, Job, Member, first_state, map_of, must_be_windows, orthonormalised

FEWEST = 4  # below, vmap costs more than it saves
SECONDS_PER_STEP = 1e-3  # of one vmapped step, however few members there are


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

    def seconds(self, job: Job) -> float:
        """Return the time of the stacked loop."""
        return (SECONDS_PER_STEP + 3e-5 * len(job.members)) * job.steps * (1 + 2 * job.n_tangents)

    def refusal(self, job: Job) -> str | None:
        """Return why not: too few members, another phase space for some of them, a step that cannot be stacked."""
        members = job.members
        if len(members) < FEWEST:
            return f"with fewer than {FEWEST} members a plain loop is faster."
        m = map_of(job, members[0])
        for member in members:
            for name, value in member.settings.items():
                m.set_parameter(name, value)
            if m.dimension != map_of(job, members[0]).dimension:
                return "the members' optimizers do not keep the same memory."
        first = torch.stack([first_state(m, member) for member in (members[0], members[-1])])
        if not m.can_stack(first, 0):
            return "a step of this training cannot be stacked."
        buffers = {name: buffer.clone() for name, buffer in m.model.named_buffers()}
        m.advance(first[0], 0)
        changed = [name for name, buffer in m.model.named_buffers() if not torch.equal(buffer, buffers[name])]
        return f"the buffer {changed[0]} changes in a step and would be lost." if changed else None

    def open(self, job: Job) -> AbstractEnsemble:
        """Return the stacked ensemble."""
        return _Stacked(job)


class _Stacked(AbstractEnsemble):
    def __init__(self, job: Job) -> None:
        members = job.members
        keys = list(dict.fromkeys(member.key for member in members))
        self._maps = [map_of(job, Member(settings=dict(key))) for key in keys]
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

    def set_states(self, states: Tensor, *, time: int | None = None) -> None:
        self._states = states.detach().clone().to(self._states)
        self._time = self._time if time is None else time

    def advance(self, steps: int) -> Tensor:
        return torch.stack([self._step() for _ in range(steps)])

    def advance_with_tangents(self, vectors: Tensor, steps: int, *, every: int = 1) -> Grown:
        losses, logs = [], []
        for length in must_be_windows(steps, every):
            for _ in range(length):
                vectors = self._carried(vectors)
                losses.append(self._step())
            vectors, grown = orthonormalised(vectors)
            logs.append(grown)
        return Grown(torch.stack(losses), torch.stack(logs), vectors)

    def write_into(self, model: nn.Module, index: int) -> None:
        self._maps[0].write_into(model, self._states[index])

    def close(self) -> None:
        self._states = self._states[:0]

    def _step(self) -> Tensor:
        parts = [self._maps[0].gradients(part, self._time) for part in self._states.split(self._chunk)]
        gradients, losses = (torch.cat(pieces) for pieces in zip(*parts, strict=True))
        new = torch.empty_like(self._states)
        for m, rows in zip(self._maps, self._rows, strict=True):
            new[rows] = m.moved(self._states[rows], gradients[rows], self._time)
        self._states = new
        self._time += 1
        return losses

    def _carried(self, vectors: Tensor) -> Tensor:
        carried = torch.empty_like(vectors)
        for m, rows in zip(self._maps, self._rows, strict=True):
            for row in rows:
                carried[row] = m.advance_tangents(self._states[row], vectors[row], self._time)[1]
        return carried
