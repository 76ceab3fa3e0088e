"""The plain PyTorch loop, one member after another: slow, and what every other engine must agree with."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..maps import TrainingMap
from ._base import AbstractEngine, AbstractEnsemble, Grown, Job, first_state, map_of, must_be_windows, orthonormalised

SECONDS_PER_STEP = 2.5e-4  # of one member of the smallest network: what calling PyTorch some thirty times costs


class Eager(AbstractEngine):
    """Runs each member with its own module and its own torch optimizer, by the training's own step."""

    name: ClassVar = "eager"
    tolerance: ClassVar = 0.0

    def seconds(self, job: Job) -> float:
        """Return the time of the loop."""
        return SECONDS_PER_STEP * len(job.members) * job.steps * (1 + 2 * job.n_tangents)

    def refusal(self, job: Job) -> str | None:
        """Return ``None``: it runs everything that a `TrainingMap` takes."""
        del job
        return None

    def open(self, job: Job) -> AbstractEnsemble:
        """Return the ensemble of single trainings."""
        return _Single(job)


class _Single(AbstractEnsemble):
    def __init__(self, job: Job) -> None:
        self._training = job.training
        self._maps: list[TrainingMap] = [map_of(job, member) for member in job.members]
        self._time = 0
        for m, member in zip(self._maps, job.members, strict=True):
            m.write_memory(first_state(m, member), 0)

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

    def advance(self, steps: int) -> Tensor:
        return torch.stack([self._step() for _ in range(steps)])

    def advance_with_tangents(self, vectors: Tensor, steps: int, *, every: int = 1) -> Grown:
        losses, logs = [], []
        for length in must_be_windows(steps, every):
            for _ in range(length):
                pairs = [m.advance_tangents(state, some, self._time) for m, state, some in zip(self._maps, self.states, vectors, strict=True)]
                vectors = torch.stack([carried for _, carried in pairs])
                losses.append(self._step())
            vectors, grown = orthonormalised(vectors)
            logs.append(grown)
        return Grown(torch.stack(losses), torch.stack(logs), vectors)

    def write_into(self, model: nn.Module, index: int) -> None:
        model.load_state_dict(self._maps[index].model.state_dict())

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
