"""Gradient descent on a quartic loss of one weight, in the coordinates of a training."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from ._base import AbstractToyMap


class QuarticDescent(AbstractToyMap):
    r"""Gradient descent :math:`w' = w - \eta w (w^2 - y)` on the quartic loss :math:`(w^2 - y)^2 / 4`.

    Conjugate to :class:`~kazami.maps.toys.cubic_descent.CubicDescent` with :math:`a = \eta y`, so both have the same exponent. The sharpness at the
    minimum is :math:`2y`.

    References:
        Chen et al. 2023 (arXiv 2310.01687).
    """

    defaults: ClassVar = MappingProxyType({"learning_rate": 0.5, "target": 4.0})
    start: ClassVar = (0.69,)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        del lib
        (w,) = x
        return (w - self._values["learning_rate"] * w * (w * w - self._values["target"]),)

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the derivative."""
        return ((1.0 - self._values["learning_rate"] * (3.0 * x[0] * x[0] - self._values["target"]),),)
