"""How many numbers a batch normalisation takes its statistics from."""

import math
from typing import ClassVar

from ..graph import saved
from ..layers import Sight
from ._base import AbstractObservable, Moment
from ._statistics import training_norm


class NormSamples(AbstractObservable):
    """Numbers per channel: samples times places. With two, each becomes +1 or -1, whatever it was."""

    name: ClassVar = "norm_samples"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the number, NaN for layers that are no batch normalisation in training."""
        node = training_norm(sight)
        data = saved(node, "input") if node is not None else None
        if data is None or data.dim() < 2 or data.shape[1] == 0:
            return math.nan
        return data.numel() / data.shape[1]
