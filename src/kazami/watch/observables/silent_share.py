"""Share of a ReLU's outputs that are exactly zero."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment, rectified, sample


class SilentShare(AbstractObservable):
    """Share of (unit, sample) pairs of a ReLU that are exactly zero; half is usual, one is silence."""

    name: ClassVar = "silent_share"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 4

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN for activations other than ReLU."""
        result = rectified(sight)
        if result is None or result.numel() == 0:
            return float("nan")
        seen = sample(result)
        return int((seen <= 0).count_nonzero()) / seen.numel()
