"""Loss surfaces: planes and lines through a model's weights, the path of a training on them, and descents of every kind.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    "Plane": ".planes",
    "Surface": ".surface",
    "surface": ".surface",
    "line": ".lines",
    "barrier": ".lines",
    "two_weight_surface": ".two_weights",
    "descend": ".descents",
    "critical_points": ".critical_points",
    "overshoot": ".overshoot",
}

__all__ = sorted(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)
