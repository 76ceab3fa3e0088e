"""Cures: one per file, each says which findings it treats and what the user writes; rules never name cures."""

from ._base import AbstractCure
from ._choice import all_cures, prescriptions_for

__all__ = ["AbstractCure", "all_cures", "prescriptions_for"]
