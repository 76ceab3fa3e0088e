"""What an engine is: it opens an ensemble of trainings, which go step by step together, each as if it ran alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..maps import Training, TrainingMap
from ..maps.training import untouched_randomness


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
        """The settings as a key: members with the same key share one optimizer."""
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
        known: What engines found out about this job, so that it is found out once.
    """

    training: Training
    members: tuple[Member, ...]
    dtype: torch.dtype
    steps: int
    n_tangents: int = 0
    known: dict[str, Any] = field(default_factory=dict, repr=False)


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


class AbstractRows(AbstractEnsemble):
    """An ensemble whose states are the rows of one tensor."""

    _states: Tensor
    _time: int

    @property
    def time(self) -> int:
        """Steps taken."""
        return self._time

    @property
    def states(self) -> Tensor:
        """One row for each member."""
        return self._states

    def set_states(self, states: Tensor, *, time: int | None = None) -> None:
        """Put the members at ``states``."""
        self._states = states.detach().clone().to(self._states)
        self._time = self._time if time is None else time


class AbstractRemembering(AbstractEnsemble):
    """An ensemble that keeps buffers as well, and can say how it runs."""

    @property
    @abstractmethod
    def buffers(self) -> dict[str, Tensor]:
        """What members have of their own besides their states (running statistics, frozen random layers), by name, shape ``(members, ...)``."""

    @abstractmethod
    def set_buffers(self, buffers: Mapping[str, Tensor]) -> None:
        """Put the members' buffers at these values; `states` and these are all that the next steps depend on, apart from the clock."""

    @property
    @abstractmethod
    def remark(self) -> str:
        """What its user should know about how it runs (what was compiled, what fell back and why), in whole sentences; empty if nothing."""


class AbstractEngine(ABC):
    """A way to run an ensemble.

    Class attributes:
        name: What users call it.
        tolerance: Largest relative difference from the plain PyTorch loop after 50 steps in float64, on trainings that are not chaotic.
        is_automatic: Whether ``engine="auto"`` may choose it. One that it may not choose takes what follows its name after a colon, as a string.
        checks_itself: Whether it compares its first steps with another engine's, so that nobody else needs to.
    """

    name: ClassVar[str]
    tolerance: ClassVar[float]
    is_automatic: ClassVar[bool] = True
    checks_itself: ClassVar[bool] = False

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


def named(model: nn.Module) -> dict[str, Tensor]:
    """Return all parameters and buffers of ``model`` by name, each tensor once."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def fresh(m: TrainingMap, seed: int | None) -> dict[str, Tensor]:
    """Return all parameters and buffers of a fresh model by name, in the precision of the map; the training's own seed is meant by ``None``."""
    with untouched_randomness():
        model = m.training.replaced(seed=m.training.seed if seed is None else seed).start().model
    return {name: value.detach().to(m.dtype) if value.is_floating_point() else value.detach().clone() for name, value in named(model).items()}


def write_named(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Copy ``values`` into the parameters and buffers of these names."""
    into = named(model)
    with torch.no_grad():
        for name, value in values.items():
            into[name].copy_(value)


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
