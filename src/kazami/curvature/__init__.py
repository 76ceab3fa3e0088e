"""The curvature of a loss, matrix-free: Hessian products on the live graph, their top eigenvalue, and the limit each optimizer puts on it."""

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
]
