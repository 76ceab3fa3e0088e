"""Share of the weights stored in half precision that a step left as they were."""

from typing import ClassVar

import torch

from ..layers import Sight
from ..sharded import part_of
from ._base import AbstractObservable, Moment, sample

LARGEST = 2048  # so many of a layer's weights are remembered from before the step


class LostUpdateShare(AbstractObservable):
    """Share of the entries with a gradient that are bit for bit the same after the step: their update was smaller than the spacing of the numbers.

    Only for weights stored in float16 or bfloat16, on a fixed sample of at most 2048 entries.
    """

    name: ClassVar = "lost_update_share"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "after_step"
    every: ClassVar = 4

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN for weights in other formats and without a gradient."""
        if sight.update is None or sight.gradient is None or sight.weight.dtype not in (torch.float16, torch.bfloat16):
            return float("nan")
        if sight.gradient.is_sparse or sight.gradient.shape != part_of(sight.weight).shape:
            return float("nan")
        moved, gradient = sight.update, sample(sight.gradient, LARGEST)
        if gradient.shape != moved.shape:
            return float("nan")
        has_gradient = gradient != 0
        return float((has_gradient & (moved == 0)).sum()) / int(has_gradient.sum()) if bool(has_gradient.any()) else float("nan")
