"""The tent map."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from ._base import AbstractToyMap


class Tent(AbstractToyMap):
    r"""The tent map :math:`x' = s\,(\tfrac12 - |x - \tfrac12|)`: the exponent is :math:`\ln s` everywhere.

    Limits:
        At :math:`s = 2` a binary float loses one bit a step and ends at 0 after some fifty steps (the exponent stays right, the orbit is no longer
        chaotic): use 1.9999.
    """

    defaults: ClassVar = MappingProxyType({"slope": 1.9999})
    start: ClassVar = (0.3456789,)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        del lib
        return (self._values["slope"] * (0.5 - abs(x[0] - 0.5)),)

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the slope of the side that ``x`` is on."""
        return ((np.where(x[0] < 0.5, self._values["slope"], -self._values["slope"]),),)
