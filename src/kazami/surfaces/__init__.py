"""Loss surfaces: planes and lines through a model's weights, the path of a training on them, and descents of every kind.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    "Plane": ".planes",
    "Surface": ".landscape",
    "surface": ".landscape",
    "Line": ".lines",
    "line": ".lines",
    "barrier": ".lines",
    "recorded": ".recording",
    # two weights: the exact surface, its critical points, walks on it
    "TwoWeights": ".two_weights",
    "two_weight_surface": ".two_weights",
    "CriticalPoint": ".stationary",
    "critical_points": ".stationary",
    "Descent": ".descents",
    "descend": ".descents",
    "Basins": ".basin_map",
    "basins": ".basin_map",
    "Fate": ".fates",
    "fate_of": ".fates",
    "animate": ".animation",
    # one step too far
    "Overshoot": ".overshooting",
    "overshoot": ".overshooting",
}

__all__ = sorted(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)
