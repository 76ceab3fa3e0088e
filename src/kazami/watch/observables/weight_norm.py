"""Norm of the weights."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment


class WeightNorm(AbstractObservable):
    """Euclidean norm of W before the step."""

    name: ClassVar = "weight_norm"
    unit: ClassVar = "weight"
    moment: ClassVar[Moment] = "before_step"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the norm."""
        return sight.weight_norm
