"""Size of the optimizer's step beside the size of the weights."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment


class UpdateRatio(AbstractObservable):
    """‖ΔW‖ / ‖W‖ of one optimizer step, on a fixed sample of at most 8192 weights."""

    name: ClassVar = "update_ratio"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "after_step"

    def measure(self, sight: Sight) -> float:
        """Return the ratio, NaN where the weights are all zero or no step was seen."""
        return sight.update_norm / sight.before_norm if sight.before_norm > 0 else float("nan")
