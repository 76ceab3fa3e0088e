"""The Hénon map."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from ._base import AbstractToyMap


class Henon(AbstractToyMap):
    r"""The Hénon map :math:`x' = 1 - a x^2 + y,\ y' = b x`: the exponents add up to :math:`\ln |b|` exactly.

    References:
        Hénon 1976.
    """

    defaults: ClassVar = MappingProxyType({"a": 1.4, "b": 0.3})
    start: ClassVar = (0.1, 0.1)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        del lib
        u, v = x
        return 1.0 - self._values["a"] * u * u + v, self._values["b"] * u

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the matrix of derivatives."""
        return ((-2.0 * self._values["a"] * x[0], 1.0), (self._values["b"], 0.0))
