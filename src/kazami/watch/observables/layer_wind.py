"""Layer wind: the elasticity of the loss in a layer's weights, on a logarithmic scale."""

import math
from typing import ClassVar

from ..layers import Sight
from ._base import AbstractObservable, Moment


class LayerWind(AbstractObservable):
    r"""log10( ‖∂L/∂W‖ · ‖W‖ / L₀ ) with L₀ the loss of the trivial predictor (the first finite loss where it is unknown).

    Between the steps at which ‖W‖ is measured its last value stands in. It has no unit: multiplying the loss by a constant changes nothing. Minus infinity
    (a gradient of exactly zero) is given as -20.
    """

    name: ClassVar = "layer_wind"
    unit: ClassVar = "decades"
    moment: ClassVar[Moment] = "before_step"

    def measure(self, sight: Sight) -> float:
        """Return the wind, NaN where the gradient is not finite or absent."""
        if math.isnan(sight.gradient_norm) or not sight.reference_loss > 0:
            return float("nan")
        elasticity = sight.gradient_norm * sight.weight_norm / sight.reference_loss
        if not math.isfinite(elasticity):
            return float("nan")
        return max(math.log10(elasticity), -20.0) if elasticity > 0 else -20.0
