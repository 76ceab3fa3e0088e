"""Schedules of the learning rate, and where they are stepped."""

import libcst as cst

from ._places import Places
from ._source import Source
from ._values import origins

SCHEDULES = "torch.optim.lr_scheduler."


def schedule_steps(places: Places) -> list[tuple[Source, cst.Call]]:
    """Return the calls that step a schedule."""
    found = []
    for source, call in places.program.calls():
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "step":
            ends = origins(places.program, source, call.func.value)
            if any(end.source.called(end.node).startswith(SCHEDULES) for end in ends):
                found.append((source, call))
    return found
