"""Derivatives: numerical differentiation against backpropagation on any model, a gradient checker, and backpropagation itself, readable.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    "GradCheck": ".gradcheck",
    "gradcheck": ".gradcheck",
    "NumericComparison": ".numeric",
    "compare_with_numeric": ".numeric",
    "backprop": ".backprop",
    "closed_form": ".closed_form",
    "fit_formula": ".formula_fit",
}

__all__ = sorted(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)
