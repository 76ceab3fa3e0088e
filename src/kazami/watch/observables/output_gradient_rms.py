"""Gradient of the loss in a layer's output."""

import math
from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment


class OutputGradientRms(AbstractObservable):
    """Root-mean-square of δ = ∂L/∂(output of the weight operation), over batch and units; the mean over all uses of a shared weight."""

    name: ClassVar = "output_gradient_rms"
    unit: ClassVar = "loss per activation"
    moment: ClassVar[Moment] = "before_step"
    every: ClassVar = 4

    def measure(self, sight: Sight) -> float:
        """Return the root-mean-square, NaN where backward did not pass."""
        seen = [value for value in sight.output_gradients if not math.isnan(value)]
        return sum(seen) / len(seen) if seen else float("nan")
