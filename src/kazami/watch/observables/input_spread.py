"""How much the signal that enters a layer differs between samples."""

import math
from typing import ClassVar

import torch

from ..layers import Sight
from ._base import AbstractObservable, Moment, signal


class InputSpread(AbstractObservable):
    """Standard deviation over samples of each feature of a layer's input, root-mean-square over features: what is left of the differences between samples."""

    name: ClassVar = "input_spread"
    unit: ClassVar = "activation"
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the spread, NaN where autograd saved no input or the batch has one row."""
        if sight.inputs is None or not sight.inputs.is_floating_point() or sight.inputs.shape[0] < 2:
            return float("nan")
        table = signal(sight.inputs, sight.unit_axis)
        if table.shape[0] < 2:
            return float("nan")
        centred = table - table.mean(0, keepdim=True)  # many times faster than table.var(0)
        return float(torch.linalg.vector_norm(centred)) / math.sqrt(max(table.numel(), 1))
