"""Engines: many trainings at once, each the same as if it ran alone.

An engine is one file. `ensemble` asks each whether it can run what is wanted, and takes the fastest that can.
"""

from ._base import AbstractEngine, AbstractEnsemble, Member
from ._choice import engine_named, ensemble

__all__ = ["AbstractEngine", "AbstractEnsemble", "Member", "engine_named", "ensemble"]
