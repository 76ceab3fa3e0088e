"""What is tried: something that can be trained from a seed and changed, whether it is a `Training` in memory or a user's script."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from ..cures import all_cures
from ..maps import Training
from ..records import Prescription
from .measure import Measure, measure_of
from .trial import Trial, run_trial


class AbstractSubject(ABC):
    """Something that can be trained from a seed, for the search and the proof.

    Attributes:
        training: The `Training` behind it, ``None`` for a script.
    """

    training: Training | None

    @property
    @abstractmethod
    def seed(self) -> int:
        """Its own seed."""

    @property
    @abstractmethod
    def measure(self) -> str:
        """What its score is."""

    @property
    @abstractmethod
    def learning_rate(self) -> float:
        """The learning rate of the first parameter group, NaN where it is not known."""

    @abstractmethod
    def changed(self, changes: Sequence[Prescription]) -> Self | None:
        """Return this with changes carried out, ``None`` where one of them cannot be."""

    @abstractmethod
    def trial(self, *, seed: int, watched: bool = False) -> Trial:
        """Train once from a seed."""


@dataclass(frozen=True, slots=True)
class TrainingSubject(AbstractSubject):
    """A `Training` in memory.

    Attributes:
        training: The training.
        scores: Gives the score; the same for all its changes.
    """

    training: Training
    scores: Measure = field(repr=False)

    @classmethod
    def of(cls, training: Training) -> "TrainingSubject":
        """Return a training with the measure that fits it."""
        return cls(training, measure_of(training))

    @property
    def seed(self) -> int:
        """The training's own seed."""
        return self.training.seed

    @property
    def measure(self) -> str:
        """The kind of the measure."""
        return self.scores.kind

    @property
    def learning_rate(self) -> float:
        """The learning rate of the first parameter group, NaN where there is none."""
        return float(self.training.start().optimizer.param_groups[0].get("lr", math.nan))

    def changed(self, changes: Sequence[Prescription]) -> "TrainingSubject | None":
        """Return the training with the changes, ``None`` where one of them cannot be carried out on a `Training`."""
        cures = {cure.name: cure for cure in all_cures()}
        changed: Training | None = self.training
        for change in changes:
            cure = cures.get(change.name)
            changed = cure.apply(changed, change.parameters) if cure is not None and changed is not None else None
        return TrainingSubject(changed, self.scores) if changed is not None else None

    def trial(self, *, seed: int, watched: bool = False) -> Trial:
        """Train once from a seed."""
        return run_trial(self.training, self.scores, seed=seed, watched=watched)
