"""What a batch normalisation computes and keeps, read from the live graph."""

from torch import Tensor

from ..graph import BATCH_NORM, Node, kind, option, saved
from ..layers import Sight

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
