"""Size of a layer's weights beside what keeps a signal's size."""

import math
from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment


class Gain(AbstractObservable):
    """Standard deviation of the weights times √fan-in.

    The factor by which a layer scales an uncorrelated signal (PyTorch's default Linear has 0.58, He initialisation 1.41).
    """

    name: ClassVar = "gain"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "before_step"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the gain, NaN for layers that are no matrix."""
        if sight.layer.kind in ("norm", "embedding") or sight.weight.dim() < 2:
            return float("nan")
        return sight.weight_norm * math.sqrt(sight.layer.fan_in / max(sight.weight.numel(), 1))
