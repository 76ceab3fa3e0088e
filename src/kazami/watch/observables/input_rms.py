"""Size of the signal that enters a layer."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment, signal


class InputRms(AbstractObservable):
    """Root-mean-square of the data operand of a layer, over batch and features."""

    name: ClassVar = "input_rms"
    unit: ClassVar = "activation"
    moment: ClassVar[Moment] = "forward"

    def measure(self, sight: Sight) -> float:
        """Return the root-mean-square, NaN where autograd saved no input."""
        if sight.inputs is None or not sight.inputs.is_floating_point():
            return float("nan")
        return float(signal(sight.inputs, sight.unit_axis).square().mean().sqrt())
