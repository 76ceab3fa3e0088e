"""How a layer's remaining signal is shared between flat and sharp directions of its inputs."""

import math
from typing import cast

from torch import Tensor

from ..layers import Sight

FLAT = 1e-3  # of the largest eigenvalue


def gain(sight: Sight, *, is_flat: bool) -> float:
    r"""Return the share of the signal that is linear in the inputs along the flat directions, or along the others, chance taken out.

    Each direction counts by the regression on it in this very batch, :math:`\lVert G v \rVert^2 / \sum_b (v^\top x_b)^2`, which is the whole signal at most;
    which directions are flat is known from batches that did not make them.
    """
    known, energy = sight.memory.get("moment_eigen"), sight.memory.get("moment_energy")
    gradient, rows = sight.gradient, sight.memory.get("moment_rows", 0)
    if known is None or gradient is None or gradient.is_sparse or gradient.shape != sight.weight.shape or len(sight.output_gradients) != 1:
        return math.nan
    values, vectors = cast(tuple[Tensor, Tensor], known)
    if values.numel() == 0 or not isinstance(energy, Tensor):
        return math.nan
    chosen = ((values < FLAT * values.max()) == is_flat) & (energy > 0)
    n, size = int(chosen.sum()), float(sight.output_gradients[0] ** 2 * rows * gradient.shape[0])
    if n >= rows or not 0 < size < math.inf:
        return math.nan
    along = (gradient.double() @ vectors[:, chosen]).square().sum(0) / energy[chosen]
    share: float = float(along.sum()) / (rows * size) - n / rows
    return share
