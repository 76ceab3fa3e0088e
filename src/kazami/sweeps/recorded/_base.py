"""What a record is: it listens while a block of members runs, and gives columns of the table."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...engines import AbstractEnsemble, Member
from ...maps import Training, TrainingMap

Floats = NDArray[np.float64]


@dataclass(eq=False, slots=True)
class Course:
    """A block of members on its way.

    Attributes:
        training: The training of all of them.
        members: What each has of its own.
        ensemble: They themselves.
        steps: How many steps they take.
        kept: The steps at which a row of the table is kept, rising.
        dtype: Precision.
        map: A map of the training, ``None`` where the optimizer's rule is not known; with the settings of whoever asked last.
        first: The states before the first step, shape ``(members, dimension)``.
        last: The states after the last step.
        taken: Steps taken from finite losses, shape ``(members,)``: all of them, or fewer where a loss was not finite.
    """

    training: Training
    members: Sequence[Member]
    ensemble: AbstractEnsemble
    steps: int
    kept: tuple[int, ...]
    dtype: torch.dtype
    map: TrainingMap | None
    first: Tensor
    last: Tensor
    taken: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def n_parameters(self) -> int:
        """How many of a state's coordinates are parameters: the first ones."""
        return self.first.shape[1] if self.map is None else self.map.n_parameters

    def map_of(self, index: int) -> TrainingMap:
        """Return the map with the settings of one member; it is the same object each time."""
        if self.map is None:
            raise TypeError("A record that needs a map was asked for without one.")
        for name, value in self.members[index].settings.items():
            self.map.set_parameter(name, value)
        return self.map

    def fresh_model(self) -> nn.Module:
        """Return a model of the training's own make and precision, before its first step."""
        from ...maps.training import untouched_randomness

        with untouched_randomness():
            return self.training.start().model


class AbstractRecord(ABC):
    """One record of one block.

    Class attributes:
        name: What users ask for.
        units: Its columns with their units; ``""`` for numbers without one.
        texts: Those of its columns that are text.
        sentence: What it is, in one sentence.
        is_series: Whether there is a value at each kept step, else one for the whole training.
        needs_tangents: Whether a tangent vector must be carried; the sweep then runs in float64.
        needs_map: Whether the training must be one that `TrainingMap` takes.
        needs_states: Whether :meth:`look` is to be called.
        looks_everywhere: Whether it is to be called at every step, not only at those kept.
        seconds: Roughly what a member costs beside its steps.
    """

    name: ClassVar[str]
    units: ClassVar[Mapping[str, str]]
    texts: ClassVar[tuple[str, ...]] = ()
    sentence: ClassVar[str]
    is_series: ClassVar[bool] = False
    needs_tangents: ClassVar[bool] = False
    needs_map: ClassVar[bool] = False
    needs_states: ClassVar[bool] = False
    looks_everywhere: ClassVar[bool] = False
    seconds: ClassVar[float] = 0.0

    @classmethod
    def bytes_per_member(cls, steps: int, kept: int, dimension: int) -> int:
        """Return how much it holds of each member at a time."""
        del steps, dimension
        return 8 * kept if cls.is_series else 8

    def begin(self, course: Course) -> None:
        """Get ready; the members stand before their first step."""
        del course

    def look(self, course: Course, step: int, states: Tensor) -> None:
        """See the states before step number ``step``, shape ``(members, dimension)``; called where ``needs_states``."""
        del course, step, states

    def passed(self, course: Course, begin: int, losses: Floats, local: Floats | None) -> None:
        """Hear of the steps from number ``begin`` on: their losses, shape ``(steps, members)``, and the logarithms of the tangent's growth."""
        del course, begin, losses, local

    @abstractmethod
    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Return the columns after the last step: of shape ``(kept, members)`` for a series, else ``(members,)``."""
