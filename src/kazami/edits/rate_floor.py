"""A floor under the schedule."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._numbers import tidy
from ._places import Places, only
from ._schedules import SCHEDULES, schedule_steps
from ._settings import Setting, add_keyword, put_number
from ._source import Source, argument

COSINES = {"CosineAnnealingLR": 2, "CosineAnnealingWarmRestarts": 3}


class RateFloor(AbstractEdit):
    """Gives a cosine its ``eta_min``, and other schedules a lowest rate after each of their steps."""

    name: ClassVar = "rate_floor"
    writes: ClassVar = ("schedule_floor",)
    how: ClassVar = "As `eta_min` of a cosine; behind the step of any other schedule."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the floor."""
        floor = float(change.parameters["floor"])
        made = [(source, call) for source, call in places.program.calls() if source.called(call).startswith(SCHEDULES)]
        source, call = only(made, "a schedule is made")
        kind = source.called(call).removeprefix(SCHEDULES)
        if kind in COSINES:
            self._cosine(draft, places, source, call, floor)
            return
        steps = schedule_steps(places)
        optimizer = places.optimizer
        for other, step in only([steps], "a schedule steps") if steps else ():
            name = optimizer.name if other.function(step) is optimizer.source.function(optimizer.call) else places.step.optimizer
            draft.after(other, step, f'for group in {name}.param_groups:\n    group["lr"] = max(group["lr"], {tidy(floor)})')

    def _cosine(self, draft: Draft, places: Places, source: Source, call: cst.Call, floor: float) -> None:
        kind = source.called(call).removeprefix(SCHEDULES)
        given = argument(call, COSINES[kind], "eta_min")
        if given is None:
            add_keyword(draft, source, call, f"eta_min={tidy(floor)}")
        else:
            put_number(draft, places, Setting(source, given.value), floor, None)
