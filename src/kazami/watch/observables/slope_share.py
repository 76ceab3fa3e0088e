"""How much of its greatest slope a squashing activation still has."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment, slopes


class SlopeShare(AbstractObservable):
    """Mean of |φ'(z)| / max|φ'| over units and samples for sigmoid, tanh, hard tanh and hard sigmoid: 1 is linear, 0 is fully saturated.

    NaN for other activations.

    From the saved result s: sigmoid 4·s·(1-s), tanh 1-s².
    """

    name: ClassVar = "slope_share"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 4

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN where the activation does not saturate on both sides."""
        slope = slopes(sight)
        return float("nan") if slope is None else float(slope.mean())
