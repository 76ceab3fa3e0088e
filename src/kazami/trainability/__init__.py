"""Maps of trainability: which learning rates train at all, and the fractal edge between those that do and those that do not.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    "BoxDimension": ".box_counting",
    "CONDITIONS": ".problem",
    "Problem": ".problem",
    "TilePyramid": ".tiles",
    "TrainabilityMap": ".result",
    "Window": ".window",
    "box_dimension": ".box_counting",
    "edges": ".box_counting",
    "mean_field_problem": ".problem",
    "open_map": ".result",
    "trainability_map": ".mapping",
}

__all__ = list(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)
