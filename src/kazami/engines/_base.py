"""What an engine is: it opens an ensemble of trainings, which go step by step together, each as if it ran alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..maps import Training, TrainingMap


@dataclass(frozen=True, slots=True)
class Member:
    """What one member of an ensemble has of its own.

    Attributes:
        seed: Of its initialisation; the training's own if ``None``. Batches and masks are those of the training, the same for all.
        settings: The optimizer's settings that differ, in the words of `TrainingMap.current_parameters` (``{"learning_rate": 0.1}``).
    """

    seed: int | None = None
    settings: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def key(self) -> tuple[tuple[str, float], ...]:
        """The settings as a key: members with the same key share one rule."""
        return tuple(sorted((name, float(value)) for name, value in self.settings.items()))


class AbstractEnsemble(ABC):
    """Trainings on their way, one row each."""

    @property
    @abstractmethod
    def time(self) -> int:
        """Steps taken."""

    @property
    @abstractmethod
    def states(self) -> Tensor:
        """The phase-space states, shape ``(members, dimension)``, in the layout of the members' `TrainingMap`."""

    @abstractmethod
    def set_states(self, states: Tensor) -> None:
        """Put the members at ``states``; the clock stays."""

    @abstractmethod
    def step(self) -> Tensor:
        """Take one optimizer step in every member and return the losses before it, shape ``(members,)``."""

    @abstractmethod
    def write_into(self, model: nn.Module, index: int) -> None:
        """Copy the parameters of one member into ``model``, a module of the same make."""


class AbstractEngine(ABC):
    """A way to run an ensemble.

    Class attributes:
        name: What users call it.
        tolerance: Largest relative difference from the plain PyTorch loop after 50 steps in float64, on trainings that are not chaotic.
        rank: Engines are asked in this order; the fastest first.
    """

    name: ClassVar[str]
    tolerance: ClassVar[float]
    rank: ClassVar[int]

    @abstractmethod
    def refusal(self, training: Training, members: Sequence[Member]) -> str | None:
        """Return why this engine cannot, or should not, run this ensemble; ``None`` if it can."""

    @abstractmethod
    def open(self, training: Training, members: Sequence[Member]) -> AbstractEnsemble:
        """Return the ensemble before its first step."""


def own_dtype(training: Training) -> torch.dtype:
    """Return the precision in which a training runs as its user wrote it."""
    from ..maps.training import untouched_randomness

    with untouched_randomness():
        model = training.start().model
    return next((parameter.dtype for parameter in model.parameters()), torch.float64)


def map_of(training: Training, member: Member, dtype: torch.dtype) -> TrainingMap:
    """Return the map of one member's settings.

    Raises:
        UnknownName: A setting is not one of the optimizer's.
    """
    made = TrainingMap(training, dtype=dtype)
    for name, value in member.settings.items():
        made.set_parameter(name, value)
    return made


def first_state(m: TrainingMap, member: Member) -> Tensor:
    """Return where a member begins: the state before the first step, with its own seed."""
    m.reinit()
    return m.current_state() if member.seed is None else m.fresh_state(member.seed)
