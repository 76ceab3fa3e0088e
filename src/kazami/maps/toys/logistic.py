"""The logistic map."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from ._base import AbstractToyMap


class Logistic(AbstractToyMap):
    r"""The logistic map :math:`x' = r x (1 - x)`.

    At :math:`r = 4` its exponent is :math:`\ln 2`; on a cycle it is the mean of :math:`\ln |r (1 - 2x)|`. Period three begins at :math:`1 + \sqrt 8`.

    References:
        May 1976.

    Example:
        >>> Logistic(r=2.0, state=(0.5,)).orbit(Logistic().current_state() * 0 + 0.5, 3)[-1].item()
        0.5
    """

    defaults: ClassVar = MappingProxyType({"r": 4.0})
    start: ClassVar = (0.3456789,)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        del lib
        (u,) = x
        return (self._values["r"] * u * (1.0 - u),)

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the derivative."""
        return ((self._values["r"] * (1.0 - 2.0 * x[0]),),)
