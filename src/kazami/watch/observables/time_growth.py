"""Growth of the gradient per time step of a recurrent net, on its way back."""

import math
from typing import ClassVar

import numpy as np

from ..layers import Sight
from ._base import AbstractObservable, Moment


class TimeGrowth(AbstractObservable):
    """Decades by which the size of ∂L/∂(pre-activation) changes from the last use of a recurrent weight to the first: positive explodes, negative vanishes.

    The slope is a least-squares line through log10 over the uses that received a gradient through later times, times their number; NaN below four uses.
    Uses without any
    gradient (after the last output that counts) are left out.
    """

    name: ClassVar = "time_growth"
    unit: ClassVar = "decades"
    moment: ClassVar[Moment] = "before_step"
    every: ClassVar = 4

    def measure(self, sight: Sight) -> float:
        """Return the growth over the whole unrolled time, NaN for layers used once."""
        if sight.layer.kind != "recurrent":
            return float("nan")
        seen = [value for value in sight.output_gradients if math.isfinite(value)]
        if len(seen) < 4 or max(seen) <= 0:
            return float("nan")
        logs = np.log10(np.asarray(seen) + 1e-38)
        slope = np.polyfit(np.arange(logs.size), logs, deg=1)[0]
        return float(-slope * (logs.size - 1))
