"""The plain PyTorch loop, one member after another: slow, and what every other engine must agree with."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..maps import Training, TrainingMap
from ._base import AbstractEngine, AbstractEnsemble, Member, first_state, map_of, own_dtype


class Eager(AbstractEngine):
    """Runs each member with its own module and its own torch optimizer, by the training's own step."""

    name: ClassVar = "eager"
    tolerance: ClassVar = 0.0
    rank: ClassVar = 100

    def refusal(self, training: Training, members: Sequence[Member]) -> str | None:
        """Return ``None``: it runs everything that a `TrainingMap` takes."""
        del training, members
        return None

    def open(self, training: Training, members: Sequence[Member]) -> AbstractEnsemble:
        """Return the ensemble of single trainings."""
        return _Single(training, members)


class _Single(AbstractEnsemble):
    def __init__(self, training: Training, members: Sequence[Member]) -> None:
        dtype = own_dtype(training)
        self._training = training
        self._maps: list[TrainingMap] = [map_of(training, member, dtype) for member in members]
        self._time = 0
        for m, member in zip(self._maps, members, strict=True):
            m.write_memory(first_state(m, member), 0)

    @property
    def time(self) -> int:
        return self._time

    @property
    def states(self) -> Tensor:
        return torch.stack([m.read_memory() for m in self._maps])

    def set_states(self, states: Tensor) -> None:
        for m, state in zip(self._maps, states, strict=True):
            m.write_memory(state.detach().to(m.current_state()), self._time)

    def step(self) -> Tensor:
        losses = []
        for m in self._maps:
            m.set_state(m.current_state(), time=self._time)
            m.write_settings()
            with m.field.randomness.at(self._time), m.field.attention(), torch.enable_grad():
                losses.append(self._training.step(m.model, m.optimizer, m.field.batches.at(self._time)))
        self._time += 1
        return torch.stack([loss.reshape(()) for loss in losses])

    def write_into(self, model: nn.Module, index: int) -> None:
        model.load_state_dict(self._maps[index].model.state_dict())
