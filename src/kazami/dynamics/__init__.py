"""Dynamics: how fast nearby trainings part, in which directions, and whether a training stays where it came to rest.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    "CovariantVectors": ".covariant",
    "EndPoint": ".end_point",
    "GrowthPhase": ".phases",
    "OrbitalStability": ".orbital",
    "as_map": ".source",
    "covariant_vectors": ".covariant",
    "end_point_stability": ".end_point",
    "finite_perturbation_exponent": ".perturbation",
    "growth_phase": ".phases",
    "kaplan_yorke": ".exponents",
    "lyapunov_spectrum": ".exponents",
    "max_lyapunov": ".exponents",
    "orbital_stability": ".orbital",
    "stability_limits": ".limits",
    "standard_error": ".uncertainty",
}

__all__ = list(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)
