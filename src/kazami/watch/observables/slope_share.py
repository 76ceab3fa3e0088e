"""How much of its greatest slope a squashing activation still has."""

from typing import ClassVar

from torch import Tensor

from ..graph import saved
from ..layers import Sight
from ._base import AbstractObservable, Moment, sample


class SlopeShare(AbstractObservable):
    """Mean of |φ'(z)| / max|φ'| over units and samples for sigmoid, tanh, hard tanh and hard sigmoid: 1 is linear, 0 is fully saturated; NaN for other activations.

    From the saved result s: sigmoid 4·s·(1-s), tanh 1-s².
    """

    name: ClassVar = "slope_share"
    unit: ClassVar = ""
    moment: ClassVar[Moment] = "forward"

    def measure(self, sight: Sight) -> float:
        """Return the share, NaN where the activation does not saturate on both sides."""
        slope = slopes(sight)
        return float("nan") if slope is None else float(sample(slope).mean())


def slopes(sight: Sight) -> Tensor | None:
    """Return |φ'(z)| / max|φ'| of the activation that follows a layer, for every unit and sample; ``None`` where it does not saturate on both sides."""
    if sight.activation is None:
        return None
    if sight.activation_kind in ("sigmoid", "tanh"):
        result = saved(sight.activation, "result")
        if result is None:
            return None
        result = result.float()
        return 4 * result * (1 - result) if sight.activation_kind == "sigmoid" else 1 - result * result
    if sight.activation_kind in ("hardtanh", "hardsigmoid"):
        before = saved(sight.activation, "self")
        low, high = (-1.0, 1.0) if sight.activation_kind == "hardtanh" else (-3.0, 3.0)
        if before is None:
            return None
        low = float(getattr(sight.activation, "_saved_min_val", low))
        high = float(getattr(sight.activation, "_saved_max_val", high))
        return ((before > low) & (before < high)).float()
    return None
