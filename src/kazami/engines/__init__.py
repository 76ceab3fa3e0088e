"""Engines: many trainings at once, each the same as if it ran alone.

An engine is one file. `ensemble` asks each how long it would take and whether it can, and takes the one that finishes first.
"""

from ._base import AbstractEngine, AbstractEnsemble, Grown, Job, Member
from ._choice import engine_named, ensemble

__all__ = ["AbstractEngine", "AbstractEnsemble", "Grown", "Job", "Member", "engine_named", "ensemble"]
