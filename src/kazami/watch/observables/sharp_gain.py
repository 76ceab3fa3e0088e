"""How much of what is left to learn lies along the other, sharp directions of the inputs."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment
from ._flatness import gain


class SharpGain(AbstractObservable):
    """What `flat_gain` is, for the eigenvalues above a thousandth of the largest: near nothing once those directions are learned."""

    name: ClassVar = "sharp_gain"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "before_step"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN where it is not known."""
        return gain(sight, is_flat=False)
