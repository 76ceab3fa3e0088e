"""The curvature of a loss, matrix-free: products on the live graph or over all batches, eigenvalues, trace, spectral density, and each optimizer's limit.

What a watched training needs is here at once; the rest of the room opens on first use.
"""

from ..doors import lazy_door
from .lanczos import TopEigenvalue as TopEigenvalue
from .lanczos import top_eigenvalue as top_eigenvalue
from .preconditioners import coupled_decay as coupled_decay
from .preconditioners import preconditioner as preconditioner
from .products import CurvatureBlind as CurvatureBlind
from .products import HessianProducts as HessianProducts
from .thresholds import Threshold as Threshold
from .thresholds import optimizer_threshold as optimizer_threshold
from .thresholds import stability_threshold as stability_threshold
from .tracker import Sharpness as Sharpness
from .tracker import SharpnessTracker as SharpnessTracker

_MODULE_OF = {
    "Extremes": ".extremes",
    "MeanProducts": ".mean_products",
    "OutputProducts": ".outputs",
    "SpectralDensity": ".density",
    "TrainingCurvature": ".training_curvature",
    "dense": ".mean_products",
    "extreme_eigenvalues": ".extremes",
    "flat_directions": ".flatness",
    "sharpness": ".initial_sharpness",
    "spectral_density": ".density",
    "trace": ".meyer2020hutch",
}

__all__ = [
    "CurvatureBlind",
    "HessianProducts",
    "Sharpness",
    "SharpnessTracker",
    "Threshold",
    "TopEigenvalue",
    "coupled_decay",
    "optimizer_threshold",
    "preconditioner",
    "stability_threshold",
    "top_eigenvalue",
    *_MODULE_OF,
]

__getattr__ = lazy_door(__name__, _MODULE_OF)
