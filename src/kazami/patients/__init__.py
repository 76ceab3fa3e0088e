"""Small trainings made ill, or healthy, on purpose: for tests, calibration, scores, docs and the demo alike."""

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ._base import Patient

Split = Literal["calibration", "scoring"]
SPLITS: tuple[Split, ...] = ("calibration", "scoring")

__all__ = ["SPLITS", "Split", "all_patients"]


@cache
def all_patients(split: Split | None = None) -> "tuple[Patient, ...]":
    """Return the patients of one split, or of both, in the order of their files' names.

    A file in a split's folder that holds a tuple ``PATIENTS`` takes part; files whose name begins with an underscore do not.

    Args:
        split: ``"calibration"`` (thresholds may be set on these), ``"scoring"`` (only for scores), or ``None`` for both.

    Raises:
        UsageError: The split is neither of the two, or two patients have the same name.
    """
    from ..errors import UsageError

    if split is not None and split not in SPLITS:
        raise UsageError(f'split should be "calibration", "scoring" or None, but is {split!r}.')
    found = [patient for name in (SPLITS if split is None else (split,)) for patient in _in_folder(f"{__name__}.{name}")]
    names = [patient.name for patient in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"Each patient should have a name of its own, but these are used twice: {', '.join(twice)}.")
    return tuple(found)


def _in_folder(package: str) -> "list[Patient]":
    files = sorted(file.name for file in pkgutil.iter_modules(import_module(package).__path__))
    modules = [import_module(f"{package}.{name}") for name in files if not name.startswith("_")]
    return [patient for module in modules for patient in vars(module).get("PATIENTS", ())]
