"""The variance that a batch normalisation divides by, beside its epsilon."""

import math
from typing import ClassVar

from ..graph import option, saved
from ..layers import Sight
from ._base import AbstractObservable, Moment
from ._statistics import training_norm


class NormVariance(AbstractObservable):
    r"""Median over channels of :math:`\sigma_b^2/\epsilon`, those left out that do not vary at all (dead units).

    Below 1 the layer shrinks its output by more than :math:`\sqrt 2` instead of normalising it.
    """

    name: ClassVar = "norm_variance"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the ratio, NaN for layers that are no batch normalisation in training, or have no channel that varies."""
        node = training_norm(sight)
        inverse = saved(node, "result2") if node is not None else None
        eps = float(option(node, "eps", 0.0)) if node is not None else 0.0
        if inverse is None or eps <= 0:
            return math.nan
        ratio = 1 / (inverse.double().square() * eps) - 1
        ratio = ratio[ratio > 1e-6]  # what is left of a variance of zero after rounding
        return float(ratio.median()) if ratio.numel() else math.nan
