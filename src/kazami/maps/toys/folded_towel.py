"""The folded-towel map."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from ._base import AbstractToyMap


class FoldedTowel(AbstractToyMap):
    r"""The folded-towel map: two positive exponents (hyperchaos).

    .. math:: x' = a x (1-x) - 0.05 (y + 0.35)(1 - 2z),\quad y' = 0.1\,((y + 0.35)(1 - 2z) - 1)(1 - 1.9 x),\quad z' = 3.78\, z (1-z) + b y

    References:
        Rössler 1979.
    """

    defaults: ClassVar = MappingProxyType({"a": 3.8, "b": 0.2})
    start: ClassVar = (0.085, -0.121, 0.075)

    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``."""
        del lib
        u, v, w = x
        fold = (v + 0.35) * (1.0 - 2.0 * w)
        return (
            self._values["a"] * u * (1.0 - u) - 0.05 * fold,
            0.1 * (fold - 1.0) * (1.0 - 1.9 * u),
            3.78 * w * (1.0 - w) + self._values["b"] * v,
        )

    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the matrix of derivatives."""
        u, v, w = x
        by_v, by_w = 1.0 - 2.0 * w, -2.0 * (v + 0.35)
        fold, slope = (v + 0.35) * by_v, 0.1 * (1.0 - 1.9 * u)
        return (
            (self._values["a"] * (1.0 - 2.0 * u), -0.05 * by_v, -0.05 * by_w),
            (-0.19 * (fold - 1.0), slope * by_v, slope * by_w),
            (0.0, self._values["b"], 3.78 * (1.0 - 2.0 * w)),
        )
