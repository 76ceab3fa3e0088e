"""How far a batch normalisation in evaluation lies from what it computes in training."""

import math
from typing import ClassVar

from torch import Tensor

from ..graph import BATCH_NORM, Node, kind, option, saved
from ..layers import Sight
from ._base import AbstractObservable, Moment


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


Statistics = tuple[Tensor, Tensor, Tensor, Tensor, float, int]


def training_norm(sight: Sight) -> Node | None:
    """Return the newest use of a layer as a batch normalisation that takes its statistics from the batch, ``None`` where it is none."""
    node = sight.uses[-1] if sight.layer.kind == "norm" and sight.uses else None
    return node if node is not None and kind(node) in BATCH_NORM and option(node, "training", True) else None


def statistics(sight: Sight) -> Statistics | None:
    """Return mean and variance of the batch, those kept for evaluation, epsilon and the number of samples; ``None`` for any other layer."""
    node = training_norm(sight)
    if node is None:
        return None
    data, mean, inverse = saved(node, "input"), saved(node, "result1"), saved(node, "result2")
    running_mean, running_variance = saved(node, "running_mean"), saved(node, "running_var")
    if data is None or mean is None or inverse is None or running_mean is None or running_variance is None or mean.shape != running_mean.shape:
        return None
    eps = float(option(node, "eps", 1e-5))
    variance = (inverse.square().reciprocal() - eps).clamp(min=0)
    return mean, variance, running_mean, running_variance, eps, max(int(data.shape[0]), 1)
