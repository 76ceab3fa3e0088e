"""Size of the signal that enters a layer."""

import math
from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment, norm_of, sample


class InputRms(AbstractObservable):
    """Root-mean-square of the data operand of a layer, over batch and features."""

    name: ClassVar = "input_rms"
    unit: ClassVar = "activation"
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 4

    def measure(self, sight: Sight) -> float:
        """Return the root-mean-square, NaN where autograd saved no input."""
        if sight.inputs is None or not sight.inputs.is_floating_point():
            return float("nan")
        return norm_of(seen := sample(sight.inputs, 2048)) / math.sqrt(max(seen.numel(), 1))
