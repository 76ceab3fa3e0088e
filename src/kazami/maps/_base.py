"""What every map is: a state, a step, and the exact derivative of the step. Every estimator of `kazami.dynamics` needs no more than that."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from ..errors import unknown_name
from ..records.estimate import Remark

Part = Literal["all", "parameters", "weights"]


class AbstractMap(ABC):
    r"""A discrete dynamical system :math:`x_{t+1} = F_t(x_t)`.

    The pure core is :meth:`advance` and :meth:`advance_tangents`: they take a state and the step's number, change nothing, and give the same answer
    whenever they are asked. The rest is a state of the map's own, for those who want to walk: :meth:`step`, :meth:`reinit` and so on.

    A final map calls :meth:`_begin_at` at the end of its ``__init__``.
    """

    _state: Tensor
    _start: Tensor
    _time: int

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of coordinates of the phase space."""

    @abstractmethod
    def current_parameters(self) -> Mapping[str, float]:
        """Return the parameters of the map by name."""

    @abstractmethod
    def set_parameter(self, name: str, value: float) -> None:
        """Change one parameter of the map; the state stays.

        Raises:
            UnknownName: The map has no parameter of this name.
        """

    @abstractmethod
    def advance(self, state: Tensor, time: int) -> Tensor:
        """Return the state after step number ``time`` (0 is the first) taken from ``state``; both have shape ``(dimension,)``."""

    @abstractmethod
    def advance_tangents(self, state: Tensor, vectors: Tensor, time: int) -> tuple[Tensor, Tensor]:
        """Return the next state and the Jacobian of the step times ``vectors``, shape ``(dimension, k)``."""

    @property
    @abstractmethod
    def notes(self) -> tuple[Remark, ...]:
        """What a reader of a number must know about this map: what was frozen, in which precision, how tangents are found."""

    @property
    def time_per_step(self) -> float:
        """How much time of its own the system goes on in one step: the parameter ``time_step`` of a flow, 1 for maps."""
        return float(self.current_parameters().get("time_step", 1.0))

    @abstractmethod
    def advance_many(self, states: Tensor, time: int) -> Tensor:
        """Return the states after step number ``time``, one row each, shape ``(members, dimension)``; all see the same batch and the same randomness."""

    @abstractmethod
    def coordinates(self, part: Part = "all") -> Tensor:
        """Return which coordinates belong to ``part``, booleans of shape ``(dimension,)``.

        ``"parameters"`` leaves out the optimizer's memory, ``"weights"`` also biases and gains; for a map that is no training all are the same.
        """

    def current_state(self) -> Tensor:
        """Return a copy of the state, shape ``(dimension,)``."""
        return self._state.clone()

    @property
    def time(self) -> int:
        """Number of steps taken since the start."""
        return self._time

    def set_state(self, state: Tensor, *, time: int | None = None) -> None:
        """Put the map at ``state``, shape ``(dimension,)``, and its clock at ``time`` steps if given.

        Raises:
            ValueError: The shape is another one.
        """
        given = torch.as_tensor(state, dtype=self._start.dtype, device=self._start.device).detach().clone().reshape(-1)
        if given.numel() != self.dimension:
            raise ValueError(f"The state should have {self.dimension} coordinates, but it has {given.numel()}.")
        self._state = given
        self._time = self._time if time is None else time

    def step(self, n: int = 1) -> None:
        """Take ``n`` steps from the current state."""
        for _ in range(n):
            self._state = self.advance(self._state, self._time)
            self._time += 1

    def reinit(self, state: Tensor | None = None) -> None:
        """Go back to the start, or begin at ``state``; the clock is 0 again."""
        self.set_state(self._start if state is None else state, time=0)

    def is_deterministic(self) -> bool:
        """Return whether the same step gives the same state twice, bit for bit, also after a step from elsewhere: a hidden state is found out."""
        first = self.advance(self._state, self._time)
        self.advance(self._state * 1.01 + 0.01, self._time + 1)
        return same_bits(first, self.advance(self._state, self._time))

    def _begin_at(self, state: Tensor) -> None:
        """Set the state in which the map begins."""
        self._start = state.detach().clone()
        self._state = self._start.clone()
        self._time = 0


def same_bits(first: Tensor, second: Tensor) -> bool:
    """Return whether two tensors are the same bit for bit, NaN included."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    whole = {8: torch.int64, 4: torch.int32}.get(first.element_size())
    return torch.equal(first, second) if whole is None else torch.equal(first.contiguous().view(whole), second.contiguous().view(whole))


def parameter_named(name: str, known: Mapping[str, Any]) -> str:
    """Return ``name`` if it is among ``known``.

    Raises:
        UnknownName: It is not.
    """
    if name not in known:
        raise unknown_name("parameter of this map", name, known)
    return name
