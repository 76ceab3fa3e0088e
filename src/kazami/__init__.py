"""kazami (風見, weather vane): the weather service for neural-network training.

This is the door. Its names are opened on first use, so that ``import kazami`` is instant and imports neither torch nor numpy.
"""

from typing import TYPE_CHECKING

from .doors import lazy_door

if TYPE_CHECKING:  # the same names for type checkers and editors, which do not open doors
    from . import nets as nets
    from .curvature.initial_sharpness import sharpness as sharpness
    from .derivatives import gradcheck as gradcheck
    from .dynamics import lyapunov_spectrum as lyapunov_spectrum
    from .dynamics import max_lyapunov as max_lyapunov
    from .dynamics import onset_of_chaos as onset_of_chaos
    from .dynamics import orbital_stability as orbital_stability
    from .dynamics import regime as regime
    from .maps import Training as Training
    from .maps import TrainingMap as TrainingMap
    from .records import Finding as Finding
    from .storage import open_run as open_run
    from .sweeps.sweep import Sweep as Sweep
    from .trials import cure as cure
    from .watch import check as check
    from .watch import diagnose as diagnose
    from .watch import watch as watch

__version__ = "0.1.0"

__all__ = [
    "Finding",
    "Sweep",
    "Training",
    "TrainingMap",
    "check",
    "cure",
    "diagnose",
    "gradcheck",
    "lyapunov_spectrum",
    "max_lyapunov",
    "nets",
    "onset_of_chaos",
    "open_run",
    "orbital_stability",
    "regime",
    "sharpness",
    "watch",
]

_MODULE_OF = {
    "Finding": ".records",
    "Sweep": ".sweeps",
    "Training": ".maps",
    "TrainingMap": ".maps",
    "check": ".watch",
    "cure": ".trials",
    "diagnose": ".watch",
    "gradcheck": ".derivatives",
    "lyapunov_spectrum": ".dynamics",
    "max_lyapunov": ".dynamics",
    "nets": ".nets",
    "onset_of_chaos": ".dynamics",
    "open_run": ".storage",
    "orbital_stability": ".dynamics",
    "regime": ".dynamics",
    "sharpness": ".curvature",
    "watch": ".watch",  # a room that can be called
}

if not TYPE_CHECKING:  # hidden from type checkers, so that they still notice a misspelt name
    __getattr__ = lazy_door(__name__, _MODULE_OF)


def __dir__() -> list[str]:
    """Return the names in the package, also those not opened yet."""
    return sorted({*globals(), *__all__})
