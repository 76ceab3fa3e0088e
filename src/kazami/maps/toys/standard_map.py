"""The standard map."""

import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from ._base import AbstractToyMap

TURN = 2.0 * math.pi


class StandardMap(AbstractToyMap):
    r"""Chirikov's standard map :math:`p' = p + K \sin q,\ q' = q + p'`, both modulo :math:`2\pi`: area-preserving, so the exponents add up to 0.

    For large :math:`K` the larger one is near :math:`\ln (K/2)`.

    References:
        Chirikov 1979.
    """

    defaults: ClassVar = MappingProxyType({"k": 10.0})
    start: ClassVar = (0.1, 0.5)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``, which is (p, q)."""
        p, q = x
        moved = (p + self._values["k"] * lib.sin(q)) % TURN
        return moved, (q + moved) % TURN

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the matrix of derivatives."""
        kick = self._values["k"] * np.cos(x[1])
        return ((1.0, kick), (1.0, 1.0 + kick))
