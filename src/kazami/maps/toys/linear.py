"""A linear map, whose exponents are the logarithms of its multipliers."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from ._base import AbstractToyMap


class Linear(AbstractToyMap):
    r"""The linear map :math:`x' = p_1 x + c\,y,\ y' = p_2 y`: exponents :math:`\ln |p_1|` and :math:`\ln |p_2|`, whatever the shear :math:`c`.

    Example:
        >>> Linear(p1=0.5, shear=0.0).orbit(Linear().current_state(), 1)[1].tolist()
        [0.5, 0.25]
    """

    defaults: ClassVar = MappingProxyType({"p1": 0.5, "p2": 0.25, "shear": 1.0})
    start: ClassVar = (1.0, 1.0)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        del lib
        u, v = x
        return self._values["p1"] * u + self._values["shear"] * v, self._values["p2"] * v

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the matrix, the same everywhere."""
        del x
        return ((self._values["p1"], self._values["shear"]), (0.0, self._values["p2"]))
