"""Trials: which change helps a training, found by trying, and proved against seeds and a placebo."""

from ..doors import lazy_door

_MODULE_OF = {"cure": ".curing", "run_trial": ".trial", "measure_of": ".measure"}

__all__ = sorted(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)
