"""Engines: many trainings at once, each the same as if it ran alone; and the pools of workers that they and others run on.

An engine is one file. `ensemble` asks each how long it would take and whether it can, and takes the one that finishes first.
"""

from ._base import AbstractEngine, AbstractEnsemble, Grown, Job, Member
from ._choice import engine_named, ensemble
from ._pools import AbstractPool, Failure, pool

__all__ = ["AbstractEngine", "AbstractEnsemble", "AbstractPool", "Failure", "Grown", "Job", "Member", "engine_named", "ensemble", "pool"]
