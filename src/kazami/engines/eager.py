"""The plain PyTorch loop, one member after another: slow, and what every other engine must agree with."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..maps import TrainingMap
from ._base import AbstractEngine, AbstractEnsemble, AbstractRemembering, Grown, Job, fresh, map_of, must_be_windows, named, orthonormalised, write_named
from ._sizing import seconds_alone


class Eager(AbstractEngine):
    """Runs each member with its own module and its own torch optimizer, by the training's own step."""

    name: ClassVar = "eager"
    tolerance: ClassVar = 0.0

    def seconds(self, job: Job) -> float:
        """Return the time of the loop, from one step that was measured."""
        return seconds_alone(job) * len(job.members) * job.steps

    def refusal(self, job: Job) -> str | None:
        """Return ``None``: it runs everything that a `TrainingMap` takes."""
        del job
        return None

    def open(self, job: Job) -> AbstractEnsemble:
        """Return the ensemble of single trainings."""
        return _Single(job)


class _Single(AbstractRemembering):
    def __init__(self, job: Job) -> None:
        self._training = job.training
        self._maps: list[TrainingMap] = [map_of(job, member) for member in job.members]
        self._time = 0
        for m, member in zip(self._maps, job.members, strict=True):
            m.write_memory(m.current_state(), 0)
            write_named(m.model, fresh(m, member.seed))

    @property
    def time(self) -> int:
        return self._time

    @property
    def states(self) -> Tensor:
        return torch.stack([m.read_memory() for m in self._maps])

    def set_states(self, states: Tensor, *, time: int | None = None) -> None:
        self._time = self._time if time is None else time
        for m, state in zip(self._maps, states, strict=True):
            m.write_memory(state.detach().to(m.current_state()), self._time)

    @property
    def buffers(self) -> dict[str, Tensor]:
        each = [named(m.model) for m in self._maps]
        inside = {*self._maps[0].layout.names, *(name for name, _, _ in self._maps[0].layout.buffers)}
        return {name: torch.stack([one[name].detach().clone() for one in each]) for name in each[0] if name not in inside}

    def set_buffers(self, buffers: Mapping[str, Tensor]) -> None:
        for index, m in enumerate(self._maps):
            write_named(m.model, {name: values[index] for name, values in buffers.items()})

    @property
    def remark(self) -> str:
        return ""

    def advance(self, steps: int) -> Tensor:
        return torch.stack([self._step() for _ in range(steps)])

    def advance_with_tangents(self, vectors: Tensor, steps: int, *, every: int = 1) -> Grown:
        losses, logs = [], []
        for length in must_be_windows(steps, every):
            for _ in range(length):
                kept, states = self.buffers, self.states
                pairs = [m.advance_tangents(state, some, self._time) for m, state, some in zip(self._maps, states, vectors, strict=True)]
                vectors = torch.stack([carried for _, carried in pairs])
                self.set_states(states)  # the map computed in the same module
                self.set_buffers(kept)
                losses.append(self._step())
            vectors, grown = orthonormalised(vectors)
            logs.append(grown)
        return Grown(torch.stack(losses), torch.stack(logs), vectors)

    def write_into(self, model: nn.Module, index: int) -> None:
        write_named(model, named(self._maps[index].model))

    def close(self) -> None:
        self._maps = []

    def _step(self) -> Tensor:
        losses = []
        for m in self._maps:
            m.set_state(m.current_state(), time=self._time)
            m.write_settings()
            with m.field.randomness.at(self._time), m.field.attention(), torch.enable_grad():
                losses.append(self._training.step(m.model, m.optimizer, m.field.batches.at(self._time)))
        self._time += 1
        return torch.stack([loss.detach().reshape(()) for loss in losses])
