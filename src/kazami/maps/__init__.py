"""Maps: training as a map, from a state to the next one, and toy maps of the same interface with known exponents."""

from ..doors import lazy_door
from ._base import AbstractMap, Part
from .training import Training, TrainingRun
from .training_map import TrainingMap

_MODULE_OF = {
    "CubicDescent": ".toys.cubic_descent",
    "FoldedTowel": ".toys.folded_towel",
    "Henon": ".toys.henon",
    "Ikeda": ".toys.ikeda",
    "Linear": ".toys.linear",
    "Logistic": ".toys.logistic",
    "Lorenz": ".toys.lorenz",
    "MultiscaleDescent": ".toys.multiscale_descent",
    "PlasticityMap": ".plasticity",
    "ProductDescent": ".toys.product_descent",
    "QuarticDescent": ".toys.quartic_descent",
    "StandardMap": ".toys.standard_map",
    "Tent": ".toys.tent",
}

__all__ = ["AbstractMap", "Part", "Training", "TrainingMap", "TrainingRun", *_MODULE_OF]

__getattr__ = lazy_door(__name__, _MODULE_OF)
