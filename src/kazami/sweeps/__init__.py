"""Sweeps: any factors of a training against one another, as one table that survives a kill.

This is the room's door; its names are opened on first use.
"""

from ..doors import lazy_door

_MODULE_OF = {
    "Drawn": ".choices",
    "Plan": ".plan",
    "Sweep": ".sweep",
    "SweepResult": ".result",
    "linear": ".choices",
    "log": ".choices",
    "random": ".choices",
    "read_sweep_file": ".sweep_file",
    "read_sweep": ".sweep",
    "sobol": ".choices",
    "zipped": ".choices",
}

__all__ = list(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)
