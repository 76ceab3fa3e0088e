"""How far the largest weight of a layer sticks out."""

from typing import ClassVar

from kazami.watch.layers import Sight
from kazami.watch.observables import AbstractObservable


class OutlierRatio(AbstractObservable):
    """The largest absolute weight over the root mean square of all: about 3 to 5 for Gaussian weights, √3 for uniform ones."""

    name: ClassVar = "outlier_ratio"
    unit: ClassVar = ""
    moment: ClassVar = "before_step"
    every: ClassVar = 4  # weights change slowly

    def measure(self, sight: Sight) -> float:
        """Return the ratio, NaN for a layer of zeros."""
        weight = sight.weight.detach()
        rms = float(weight.square().mean().sqrt())
        return float(weight.abs().max()) / rms if rms > 0 else float("nan")
