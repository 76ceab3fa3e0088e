"""Watching: attaches to any training, runs scripts, writes the run directory and joins findings with prescriptions."""

from typing import TYPE_CHECKING

from ..doors import lazy_door, make_callable

if TYPE_CHECKING:
    from .stored import diagnose as diagnose
    from .watching import Watch as Watch
    from .watching import check as check
    from .watching import watch as watch

__all__ = ["Watch", "check", "diagnose", "watch"]

if not TYPE_CHECKING:
    __getattr__ = lazy_door(__name__, {"Watch": ".watching", "check": ".watching", "diagnose": ".stored", "watch": ".watching"})

make_callable(__name__)
