"""Diagnosis: one finding per file, each a pure function from a Trace to a Finding or None; nothing is a fault unless progress is poor."""

from ._base import AbstractRule
from ._examine import all_rules, examine
from ._locating import Script, located
from ._progress import STUCK_EXPLAINED, STUCK_PACE, assess
from ._suppressions import Wishes, asked_by_option, suppression_of, wishes_of, without_suppressed

__all__ = [
    "STUCK_EXPLAINED",
    "STUCK_PACE",
    "AbstractRule",
    "Script",
    "Wishes",
    "all_rules",
    "asked_by_option",
    "assess",
    "examine",
    "located",
    "suppression_of",
    "wishes_of",
    "without_suppressed",
]
