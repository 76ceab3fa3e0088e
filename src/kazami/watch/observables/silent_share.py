"""Share of a ReLU's outputs that are exactly zero."""

from typing import ClassVar

from ..graph import saved
from ..layers import Sight
from ._base import AbstractObservable, Moment, sample


class SilentShare(AbstractObservable):
    """Share of (unit, sample) pairs of a ReLU that are exactly zero; half is usual, one is silence."""

    name: ClassVar = "silent_share"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN for activations other than ReLU."""
        result = saved(sight.activation, "result") if sight.activation is not None and sight.activation_kind == "relu" else None
        return float("nan") if result is None or result.numel() == 0 else float((sample(result) <= 0).float().mean())
