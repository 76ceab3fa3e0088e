"""Dynamics: how fast nearby trainings part, in which directions, and whether a training stays where it came to rest.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    "Bifurcation": ".bifurcation",
    "CovariantVectors": ".covariant",
    "DepthExponents": ".depth",
    "EndPoint": ".end_point",
    "GrowthPhase": ".phases",
    "OnsetOfChaos": ".onset",
    "OrbitalStability": ".orbital",
    "as_map": ".source",
    "bifurcation_diagram": ".bifurcation",
    "covariant_vectors": ".covariant",
    "depth_exponents": ".depth",
    "end_point_stability": ".end_point",
    "finite_perturbation_exponent": ".perturbation",
    "growth_phase": ".phases",
    "kaplan_yorke": ".exponents",
    "lyapunov_spectrum": ".exponents",
    "max_lyapunov": ".exponents",
    "onset_of_chaos": ".onset",
    "orbital_stability": ".orbital",
    "regime": ".regimes",
    "stability_limits": ".limits",
    "standard_error": ".uncertainty",
}

__all__ = list(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)
