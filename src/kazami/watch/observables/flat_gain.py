"""How much of what is left to learn lies along flat directions of the inputs, for the layer that reads the batch."""

from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment
from ._flatness import gain


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
