"""The Lorenz flow, stepped by the classical Runge–Kutta method."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ._base import AbstractToyMap

Row = tuple[Any, ...]


class Lorenz(AbstractToyMap):
    r"""The flow :math:`\dot x = \sigma (y - x),\ \dot y = x (\rho - z) - y,\ \dot z = x y - \beta z`, one Runge–Kutta step of ``time_step`` at a time.

    Exponents are per step: divide by :attr:`time_per_step` for those of the flow, which add up to :math:`-(\sigma + 1 + \beta)` exactly. The Jacobian is that
    of the Runge–Kutta step itself, so tangents are exact for the map that is run.

    References:
        Lorenz 1963.
    """

    defaults: ClassVar = MappingProxyType({"sigma": 10.0, "rho": 28.0, "beta": 8.0 / 3.0, "time_step": 0.01})
    start: ClassVar = (1.0, 1.0, 20.0)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the state one time step later."""
        del lib
        h = self._values["time_step"]
        first = self._velocity(*x)
        second = self._velocity(*_moved(x, first, 0.5 * h))
        third = self._velocity(*_moved(x, second, 0.5 * h))
        fourth = self._velocity(*_moved(x, third, h))
        return tuple(u + h / 6.0 * (a + 2.0 * (b + c) + d) for u, a, b, c, d in zip(x, first, second, third, fourth, strict=True))

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the derivative of the Runge–Kutta step, by the chain rule through its four stages."""
        h, eye = self._values["time_step"], np.eye(3)
        velocity, slope = self._velocity, self._slope
        first = velocity(*x)
        at_second = _moved(x, first, 0.5 * h)
        second = velocity(*at_second)
        at_third = _moved(x, second, 0.5 * h)
        at_fourth = _moved(x, velocity(*at_third), h)
        d_first = slope(x)
        d_second = slope(at_second) @ (eye + 0.5 * h * d_first)
        d_third = slope(at_third) @ (eye + 0.5 * h * d_second)
        d_fourth = slope(at_fourth) @ (eye + h * d_third)
        total = eye + h / 6.0 * (d_first + 2.0 * (d_second + d_third) + d_fourth)
        return [[total[..., row, column] for column in range(3)] for row in range(3)]

    def _velocity(self, u: Any, v: Any, w: Any) -> Row:
        return self._values["sigma"] * (v - u), u * (self._values["rho"] - w) - v, u * v - self._values["beta"] * w

    def _slope(self, x: Sequence[Any]) -> NDArray[np.float64]:
        u, v, w = (np.asarray(part, dtype=float) for part in x)
        found = np.zeros((*u.shape, 3, 3))
        found[..., 0, 0], found[..., 0, 1] = -self._values["sigma"], self._values["sigma"]
        found[..., 1, 0], found[..., 1, 1], found[..., 1, 2] = self._values["rho"] - w, -1.0, -u
        found[..., 2, 0], found[..., 2, 1], found[..., 2, 2] = v, u, -self._values["beta"]
        return found


def _moved(x: Sequence[Any], velocity: Row, time: float) -> Row:
    return tuple(u + time * speed for u, speed in zip(x, velocity, strict=True))
