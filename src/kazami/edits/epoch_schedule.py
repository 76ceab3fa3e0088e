"""A schedule that is stepped once an epoch."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, only
from ._schedules import schedule_steps
from ._source import Uncertain


class EpochSchedule(AbstractEdit):
    """Moves ``scheduler.step()`` from the loop over batches to behind it."""

    name: ClassVar = "epoch_schedule"
    writes: ClassVar = ("slower_schedule",)
    how: ClassVar = "From the end of the loop over batches to behind that loop, where a loop over epochs is around it."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Move the line."""
        del change
        source, call = only(schedule_steps(places), "a schedule steps")
        statement, loops = source.statement(call), source.loops(call)
        if not isinstance(statement, cst.SimpleStatementLine) or source.code(statement).strip() != source.code(call) or not loops:
            raise Uncertain("a step of the schedule of its own kind")
        batches = loops[0]
        runs_over_data = isinstance(batches, cst.For) and not source.code(batches.iter).startswith("range(")
        if not (len(loops) > 1 or (runs_over_data and source.function(call) is not None)) or source.parent(source.parent(statement)) is not batches:
            raise Uncertain("no loop over epochs around that over batches")
        draft.delete(source, call)
        draft.after(source, batches, source.code(call))
