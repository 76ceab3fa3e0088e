"""Several changes written one after another."""

from collections.abc import Sequence
from functools import cache

from ..records.finding import Prescription
from ..registry import plugins
from ._base import AbstractEdit
from ._reading import Script


@cache
def all_edits() -> tuple[AbstractEdit, ...]:
    """Return one instance of every edit, those of last resort behind the others."""
    return tuple(sorted((kind() for kind in plugins("kazami.edits", AbstractEdit)), key=lambda edit: edit.is_last_resort))


def edited(script: Script, changes: Sequence[Prescription]) -> tuple[Script, tuple[Prescription, ...]]:
    """Write changes into a script.

    Args:
        script: Stays as it is.
        changes: What was proved, in any order.

    Returns:
        The edited script, and the changes that could not be written.
    """
    left: list[Prescription] = []
    for change in changes:
        writers = (edit for edit in all_edits() if change.name in edit.writes)
        new = next((one for edit in writers if (one := edit.edit(script, change)) is not None), None)
        if new is None:
            left.append(change)
        else:
            script = new
    return script, tuple(left)
