"""Diagnosis: one finding per file, each a pure function from a Trace to a Finding or None; nothing is a fault unless progress is poor."""

from ._base import AbstractRule
from ._examine import all_rules, examine
from ._progress import assess

__all__ = ["AbstractRule", "all_rules", "assess", "examine"]
