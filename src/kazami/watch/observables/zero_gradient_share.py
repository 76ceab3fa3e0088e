"""Share of a gradient's entries that are exactly zero."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment, sample


class ZeroGradientShare(AbstractObservable):
    """Share of exact zeros in ∂L/∂W, on a fixed sample of at most 8192 entries: underflow under half precision, dead units, unused embeddings."""

    name: ClassVar = "zero_gradient_share"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "before_step"
    every: ClassVar = 4

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN where no gradient arrived."""
        if sight.gradient is None or sight.gradient.is_sparse or sight.gradient.numel() == 0:
            return float("nan")
        seen = sample(sight.gradient)
        return 1 - int(seen.count_nonzero()) / seen.numel()
