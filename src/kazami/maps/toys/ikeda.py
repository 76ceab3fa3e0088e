"""The Ikeda map."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from ._base import AbstractToyMap


class Ikeda(AbstractToyMap):
    r"""The Ikeda map :math:`z' = 1 + u z e^{i\tau}` with :math:`\tau = 0.4 - 6 / (1 + |z|^2)`: the exponents add up to :math:`2 \ln u` exactly.

    References:
        Ikeda 1979; Hammel, Jones and Moloney 1985.
    """

    defaults: ClassVar = MappingProxyType({"u": 0.9})
    start: ClassVar = (0.1, 0.1)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        p, q = x
        angle = 0.4 - 6.0 / (1.0 + p * p + q * q)
        cosine, sine = lib.cos(angle), lib.sin(angle)
        return 1.0 + self._values["u"] * (p * cosine - q * sine), self._values["u"] * (p * sine + q * cosine)

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the matrix of derivatives."""
        p, q = x
        size = 1.0 + p * p + q * q
        angle, u = 0.4 - 6.0 / size, self._values["u"]
        cosine, sine = np.cos(angle), np.sin(angle)
        turn_p, turn_q = 12.0 * p / size**2, 12.0 * q / size**2  # how the angle changes with p and q
        along, across = p * sine + q * cosine, p * cosine - q * sine
        return (
            (u * (cosine - along * turn_p), u * (-sine - along * turn_q)),
            (u * (sine + across * turn_p), u * (cosine + across * turn_q)),
        )
