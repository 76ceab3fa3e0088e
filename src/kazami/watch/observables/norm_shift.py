"""How far a batch normalisation in evaluation lies from what it computes in training."""

import math
from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment
from ._statistics import statistics


class NormShift(AbstractObservable):
    r"""Median over channels of how far the two normalisations of one value lie apart: in spreads of the output, and in e-folds of its size.

    .. math::

        d^2 = \operatorname{median} \Big[ \frac{(\mu_b - \mu_r)^2}{\sigma_r^2 + \epsilon}
        + \Big(\tfrac12 \ln\frac{\sigma_b^2 + \epsilon}{\sigma_r^2 + \epsilon}\Big)^2 \Big] - \frac{3}{2N}

    with the batch's mean and variance (b), the running ones (r) that evaluation uses, and the noise of N samples taken out.
    A few channels that die do not count.
    """

    name: ClassVar = "norm_shift"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the difference, NaN for layers that are no batch normalisation in training with running statistics."""
        found = statistics(sight)
        if found is None:
            return math.nan
        mean, variance, running_mean, running_variance, eps, samples = found
        spread = running_variance + eps
        shift = (mean - running_mean).square() / spread
        stretch = (((variance + eps) / spread).log() / 2).square()
        return math.sqrt(max(float((shift + stretch).median()) - 1.5 / samples, 0.0))
