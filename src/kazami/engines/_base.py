"""What an engine is: it opens an ensemble of trainings, which go step by step together, each as if it ran alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..errors import UsageError
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


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What an engine is asked to run.

    Attributes:
        training: What is trained.
        members: What each member has of its own.
        dtype: Precision of everything.
        steps: How many steps are expected; compiling may pay or not. No engine stops there.
        n_tangents: How many deviation vectors each member will carry.
    """

    training: Training
    members: tuple[Member, ...]
    dtype: torch.dtype
    steps: int
    n_tangents: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """What deviation vectors did on their way.

    Attributes:
        losses: Before each step, shape ``(steps, members)``.
        logs: Logarithms of the growth of each vector in each window, shape ``(windows, members, k)``; the mean over the steps is the exponent.
        vectors: Orthonormal deviation vectors afterwards, shape ``(members, dimension, k)``.
    """

    losses: Tensor
    logs: Tensor
    vectors: Tensor


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
    def set_states(self, states: Tensor, *, time: int | None = None) -> None:
        """Put the members at ``states``, and the clock at ``time`` steps if given."""

    @abstractmethod
    def advance(self, steps: int) -> Tensor:
        """Take ``steps`` optimizer steps in every member and return the losses before each, shape ``(steps, members)``.

        A member that is no longer finite goes on, with losses that are not finite; it does not touch the others.
        """

    @abstractmethod
    def advance_with_tangents(self, vectors: Tensor, steps: int, *, every: int = 1) -> Grown:
        """Take ``steps`` steps, carrying deviation vectors, shape ``(members, dimension, k)``, through the exact derivative of each step.

        They are made orthonormal again every ``every`` steps and after the last one (modified Gram–Schmidt); those that come in should be orthonormal.
        """

    @abstractmethod
    def write_into(self, model: nn.Module, index: int) -> None:
        """Copy the parameters and buffers of one member into ``model``, a module of the same make."""

    @abstractmethod
    def close(self) -> None:
        """Give back processes, connections and memory; nothing works afterwards. Closing twice does no harm."""

    def step(self) -> Tensor:
        """Take one optimizer step in every member and return the losses before it, shape ``(members,)``."""
        return self.advance(1)[0]


class AbstractEngine(ABC):
    """A way to run an ensemble.

    Class attributes:
        name: What users call it.
        tolerance: Largest relative difference from the plain PyTorch loop after 50 steps in float64, on trainings that are not chaotic.
        is_automatic: Whether ``engine="auto"`` may choose it.
    """

    name: ClassVar[str]
    tolerance: ClassVar[float]
    is_automatic: ClassVar[bool] = True

    @abstractmethod
    def seconds(self, job: Job) -> float:
        """Return roughly how long ``job`` would take, compiling included, if the engine can run it at all; a guess that costs milliseconds."""

    @abstractmethod
    def refusal(self, job: Job) -> str | None:
        """Return why this engine cannot, or should not, run ``job``; ``None`` if it can."""

    @abstractmethod
    def open(self, job: Job) -> AbstractEnsemble:
        """Return the ensemble before its first step."""


def own_dtype(training: Training) -> torch.dtype:
    """Return the precision in which a training runs as its user wrote it."""
    from ..maps.training import untouched_randomness

    with untouched_randomness():
        model = training.start().model
    return next((parameter.dtype for parameter in model.parameters()), torch.float64)


def map_of(job: Job, member: Member) -> TrainingMap:
    """Return the map of one member's settings.

    Raises:
        UnknownName: A setting is not one of the optimizer's.
    """
    made = TrainingMap(job.training, dtype=job.dtype)
    for name, value in member.settings.items():
        made.set_parameter(name, value)
    return made


def first_state(m: TrainingMap, member: Member) -> Tensor:
    """Return where a member begins: the state before the first step, with its own seed."""
    m.reinit()
    return m.current_state() if member.seed is None else m.fresh_state(member.seed)


def orthonormalised(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return orthonormal vectors spanning what ``vectors``, shape ``(members, dimension, k)``, span, and the logarithms of their lengths on the way.

    A vector that vanishes has the logarithm minus infinity and is replaced by a direction orthogonal to the others.
    """
    q, r = torch.linalg.qr(vectors)
    lengths = torch.diagonal(r, dim1=-2, dim2=-1)
    return q * torch.where(lengths < 0.0, -1.0, 1.0)[:, None, :].to(q), lengths.abs().log()


def must_be_windows(steps: int, every: int) -> list[int]:
    """Return the lengths of the windows between two re-orthonormalisations.

    Raises:
        UsageError: A number is not positive.
    """
    if steps < 1 or every < 1:
        raise UsageError(f"steps and every should be positive, but they are {steps} and {every}.")
    whole, rest = divmod(steps, every)
    return [every] * whole + ([rest] if rest else [])
