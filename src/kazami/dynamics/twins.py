"""Twins: a second copy of every member of an ensemble, a little beside it, whose distance says how fast nearby trainings part."""

import torch
from torch import Tensor

from ..engines import AbstractEnsemble

APART = 1e-7  # distance of twins over the size of the state, renewed after each step: far above rounding, far below any bend
APART_SINGLE = 1e-3  # in float32
ROUNDING = 8.0  # times the precision: a distance below this is none


class Twins:
    r"""The second half of an ensemble, kept at a relative distance of 1e-7 from the first.

    After each step :math:`\ln (d_{t+1} / d_t)` is noted and the distance set back: Benettin's method with differences for tangents.

    Args:
        together: An ensemble whose members ``n`` to ``2 n`` have the settings of the first ``n``.
        n: Number of pairs.
        n_moved: How many of the first coordinates of a state the twins differ in at first: the parameters. The optimizer's memory follows; a random change of
            Adam's second moments could make them negative.
        seed: Of the random directions.
    """

    def __init__(self, together: AbstractEnsemble, n: int, n_moved: int, seed: int = 0) -> None:
        """Put the second half beside the first."""
        self._together, self._n, self._moved = together, n, n_moved
        states = together.states
        self._generator = torch.Generator().manual_seed(seed)
        self._apart = APART if states.dtype == torch.float64 else APART_SINGLE
        self._least = ROUNDING * torch.finfo(states.dtype).eps
        self._size = self._apart * torch.linalg.vector_norm(states[:n], dim=1, keepdim=True).clamp_min(1e-12)
        self._set(states[:n], states[:n] + self._size * self._directions(states))

    @property
    def states(self) -> Tensor:
        """States of the first half, shape ``(n, dimension)``."""
        return self._together.states[: self._n]

    def step(self) -> tuple[Tensor, Tensor]:
        """Take one step; return the losses before it and the logarithms of how much the distances grew, both of shape ``(n,)``."""
        losses = self._together.step()[: self._n]
        states, n = self._together.states, self._n
        new = torch.linalg.vector_norm(states[n:] - states[:n], dim=1, keepdim=True)
        floor = self._least * torch.linalg.vector_norm(states[:n], dim=1, keepdim=True).clamp_min(1e-12)
        grown = torch.log(torch.maximum(new, floor) / self._distance)
        pulled = states[:n] + (states[n:] - states[:n]) * (self._size / new)
        fresh = states[:n] + self._size * self._directions(states)
        self._set(states[:n], torch.where(new > floor, pulled, fresh))
        return losses, grown[:, 0].double()

    def _set(self, first: Tensor, second: Tensor) -> None:
        self._together.set_states(torch.cat([first, second]))
        states, n = self._together.states, self._n
        self._distance = torch.linalg.vector_norm(states[n:] - states[:n], dim=1, keepdim=True)

    def _directions(self, states: Tensor) -> Tensor:
        drawn = torch.zeros(self._n, states.shape[1], dtype=torch.float64)
        drawn[:, : self._moved] = torch.randn(self._n, self._moved, generator=self._generator, dtype=torch.float64)
        unit: Tensor = drawn / torch.linalg.vector_norm(drawn, dim=1, keepdim=True)
        return unit.to(states)
