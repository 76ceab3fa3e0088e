"""Gradient descent on a four-layer scalar chain with shared weights: the smallest edge of stability."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from ._base import AbstractToyMap


class ProductDescent(AbstractToyMap):
    r"""Gradient descent on :math:`L = \tfrac14 (1 - x^2 y^2)^2`: it sharpens to just under :math:`2/\eta` and converges there.

    .. math:: x' = x + \eta\,(1 - x^2 y^2)\, x y^2, \qquad y' = y + \eta\,(1 - x^2 y^2)\, x^2 y

    The sharpness on the minimum :math:`xy = 1` is :math:`2 (x^2 + y^2)`.

    References:
        Zhu et al. 2022 (arXiv 2210.03294).
    """

    defaults: ClassVar = MappingProxyType({"learning_rate": 0.1})
    start: ClassVar = (3.6, 0.2)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        del lib
        u, v = x
        pull = self._values["learning_rate"] * (1.0 - u * u * v * v)
        return u + pull * u * v * v, v + pull * u * u * v

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the matrix of derivatives."""
        u, v = x
        rate, product = self._values["learning_rate"], u * v
        mixed = rate * product * (2.0 - 4.0 * product**2)
        return (
            (1.0 + rate * v * v * (1.0 - 3.0 * product**2), mixed),
            (mixed, 1.0 + rate * u * u * (1.0 - 3.0 * product**2)),
        )
