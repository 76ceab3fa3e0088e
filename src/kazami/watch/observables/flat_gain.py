"""How much of what is left to learn lies along flat directions of the inputs, for the layer that reads the batch."""

import math
from typing import ClassVar, cast

from torch import Tensor

from ..layers import Sight
from ._base import AbstractObservable, Moment

FLAT = 1e-3  # of the largest eigenvalue


class FlatGain(AbstractObservable):
    r"""Share of the signal :math:`\delta = \partial L/\partial(Wx)` that is linear in the inputs along eigenvectors whose eigenvalue is below a thousandth of
    the largest, chance taken out.

    .. math::

        R^2 = \sum_{i\,\mathrm{flat}} \frac{\lVert G v_i \rVert^2}{\lambda_i\, B\, \lVert \delta \rVert^2} - \frac{n_\mathrm{flat}}{B}

    with the gradient *G* of the weights over *B* rows. Gradient descent follows :math:`G`, which is :math:`\lambda_i` times as small along :math:`v_i`.
    """

    name: ClassVar = "flat_gain"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "before_step"
    every: ClassVar = 16

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN where the inputs' second moment or the gradients are not known, or there are as many flat directions as rows."""
        return gain(sight, is_flat=True)


def gain(sight: Sight, *, is_flat: bool) -> float:
    """Return the share of the signal that is linear in the inputs along the flat directions, or along the others, chance taken out."""
    known, gradient, rows = sight.memory.get("moment_eigen"), sight.gradient, sight.memory.get("moment_rows", 0)
    if known is None or gradient is None or gradient.is_sparse or gradient.shape != sight.weight.shape or len(sight.output_gradients) != 1:
        return math.nan
    values, vectors = cast(tuple[Tensor, Tensor], known)
    chosen = (values < FLAT * values[-1]) == is_flat
    n, size = int(chosen.sum()), float(sight.output_gradients[0] ** 2 * rows * gradient.shape[0])
    if n >= rows or not 0 < size < math.inf:
        return math.nan
    along = (gradient.double() @ vectors[:, chosen]).square().sum(0) / values[chosen]
    share: float = float(along.sum()) / (rows * size) - n / rows
    return share
