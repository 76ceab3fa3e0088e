"""The three lines of a step, in the order in which they work."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, Step, only
from ._source import Source, Uncertain


class OrderedStep(AbstractEdit):
    """Moves ``zero_grad()`` before ``backward()``, and a ``step()`` that stands before ``backward()`` behind it."""

    name: ClassVar = "ordered_step"
    writes: ClassVar = ("reorder_step",)
    how: ClassVar = "The line of `zero_grad` or of `step` that stands in the wrong place goes to the other side of `backward`, where all are in one block."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Move what stands in the wrong place."""
        del change
        step = places.step
        source, backward = step.source, only(places.backwards(step), "backward is called")
        block = source.siblings(source.statement(backward))
        early = not source.comes_before(backward, step.call)
        between = [one for one in _clearings(source, step) if source.comes_before(backward, one) and source.comes_before(one, step.call)]
        moved = [step.call] if early else between
        if not moved or any(source.statement(one) not in block for one in moved):
            raise Uncertain("what clears, goes backward and steps does not stand together")
        text = source.code(source.statement(moved[0])).strip()
        for one in moved:
            draft.delete(source, one)
        if early:
            draft.after(source, backward, text)
        else:
            draft.before(source, backward, text)


def _clearings(source: Source, step: Step) -> list[cst.Call]:
    """Return the calls of ``zero_grad`` in the function of a step."""
    calls = [one for one in source.all(cst.Call) if isinstance(one.func, cst.Attribute) and one.func.attr.value == "zero_grad"]
    return [one for one in calls if source.function(one) is source.function(step.call)]
