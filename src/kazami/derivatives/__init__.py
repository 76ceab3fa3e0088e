"""Derivatives: numerical differentiation against backpropagation on any model, a gradient checker, and backpropagation itself, readable.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    # the gradient checker
    "GradCheck": ".gradcheck_result",
    "gradcheck": ".gradient_check",
    # numerical differentiation against backpropagation, counted
    "NumericComparison": ".numeric",
    "compare_with_numeric": ".numeric",
    "million_weights": ".numeric",
    # backpropagation itself
    "Backprop": ".backpropagation",
    "backprop": ".backpropagation",
    "backprop_of": ".backprop_of_model",
    # solutions
    "closed_form": ".linear_solution",
    "no_closed_form": ".stationary_points",
    "Formula": ".formula",
    "parse_formula": ".formula",
    "fit_formula": ".formula_fit",
}

__all__ = sorted(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)


def __dir__() -> list[str]:
    """Return the names in the room, also those not opened yet."""
    return sorted({*globals(), *_MODULE_OF})
