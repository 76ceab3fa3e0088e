"""Gradient descent on a parabola with fine ripples: chaos that looks like noise."""

import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from ._base import AbstractToyMap

TURN = 2.0 * math.pi


class MultiscaleDescent(AbstractToyMap):
    r"""Gradient descent on :math:`x^2/2 + \epsilon \sin(2\pi x / \epsilon)`: a learning rate above the ripples' scale sees them as noise, deterministically.

    .. math:: x' = x - \eta\,(x + 2\pi \cos (2\pi x / \epsilon))

    References:
        Kong and Tao 2020.
    """

    defaults: ClassVar = MappingProxyType({"epsilon": 0.01, "learning_rate": 0.003})
    start: ClassVar = (0.5,)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        (u,) = x
        return (u - self._values["learning_rate"] * (u + TURN * lib.cos(TURN * u / self._values["epsilon"])),)

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the derivative."""
        epsilon = self._values["epsilon"]
        return ((1.0 - self._values["learning_rate"] * (1.0 - TURN**2 / epsilon * np.sin(TURN * x[0] / epsilon)),),)
