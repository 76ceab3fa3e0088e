"""Gradient descent on a scalar two-layer quartic loss, in coordinates in which one number decides everything."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from ._base import AbstractToyMap


class CubicDescent(AbstractToyMap):
    r"""The cubic map :math:`x' = (1 + a) x - a x^3`: gradient descent on :math:`(w^2 - y)^2 / 4` with :math:`a = \eta y` and :math:`x = w / \sqrt y`.

    For :math:`a < 1` it converges to 1 with the exponent :math:`\ln |1 - 2a|`; the period doubles at 1 (sharpness :math:`2/\eta`) and again at
    :math:`\sqrt 5 - 1`; at 2 it is Chebyshev's third polynomial, with the exponent :math:`\ln 3`; beyond, almost every start diverges.

    References:
        Chen et al. 2023 (arXiv 2310.01687).
    """

    defaults: ClassVar = MappingProxyType({"a": 2.0})
    start: ClassVar = (0.345,)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        del lib
        (u,) = x
        a = self._values["a"]
        return ((1.0 + a) * u - a * u * u * u,)

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the derivative."""
        a = self._values["a"]
        return ((1.0 + a - 3.0 * a * x[0] * x[0],),)
