"""The playground: networks from a declarative list of blocks, trained step by step on small tasks, looked at, and written out as PyTorch code.

Nothing here runs code that came from outside: a `Spec` is read from JSON, every word in it is one of an enumeration, and every number has a limit.
"""

from ..doors import lazy_door

_MODULE_OF = {
    "LIMITS": ".specs",
    "Block": ".specs",
    "Spec": ".specs",
    "read_spec": ".reading",
    "Misfit": ".shapes",
    "misfits": ".shapes",
    "PRESETS": ".presets",
    "TASKS": ".tasks",
    "read_csv": ".tables",
    "Session": ".sessions",
    "exported": ".exporting",
    "activation_curve": ".curves",
    "landscape": ".landscapes",
}

__all__ = sorted(_MODULE_OF)

__getattr__ = lazy_door(__name__, _MODULE_OF)


def __dir__() -> list[str]:
    """Return the names in the room, also those not opened yet."""
    return sorted({*globals(), *_MODULE_OF})
