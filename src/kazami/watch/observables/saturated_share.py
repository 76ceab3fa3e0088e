"""Share of units whose activation is saturated on every sample."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment, slopes


class SaturatedShare(AbstractObservable):
    """Share of (unit, sample) pairs with |φ'(z)| below 5 % of its maximum."""

    name: ClassVar = "saturated_share"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 4

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN where the activation does not saturate on both sides."""
        slope = slopes(sight)
        return float("nan") if slope is None else float((slope < 0.05).float().mean())
