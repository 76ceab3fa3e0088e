"""Sinks: loggers that get what kazami records, beside the run directory; none is imported unless asked for, none can hurt the training.

A sink is one file here, or one class that another package offers as an entry point of the group ``kazami.sinks``.
"""

from ._base import AbstractSink
from ._broadcast import Broadcast
from ._choice import all_sinks, chosen

__all__ = ["AbstractSink", "Broadcast", "all_sinks", "chosen"]
