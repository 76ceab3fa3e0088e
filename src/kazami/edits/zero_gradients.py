"""The line that clears the gradients, before backward."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places
from ._source import Uncertain


class ZeroGradients(AbstractEdit):
    """Inserts ``optimizer.zero_grad()`` before the backward of its step, or behind the step where the two stand in different blocks."""

    name: ClassVar = "zero_gradients"
    writes: ClassVar = ("zero_grad",)
    how: ClassVar = "Before `backward`; behind the step where gradients are accumulated over several batches."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert the line."""
        del change
        step = places.step
        source, backward = step.source, places.backward
        together = [one for one in places.backwards(step) if source.siblings(source.statement(one)) == source.siblings(source.statement(step.call))]
        if together and source.comes_before(together[0], step.call):
            draft.before(source, together[0], f"{step.optimizer}.zero_grad()")
        elif len(places.steps) == 1 and source.loops(step.call):
            draft.after(source, step.call, f"{step.optimizer}.zero_grad()")
        elif source.siblings(source.statement(backward)):
            block = source.siblings(source.statement(backward))
            if not all(any(source.is_in(one.call, statement) for statement in block) for one in places.steps):
                raise Uncertain("backward and step stand apart")
            draft.before(source, backward, f"{step.optimizer}.zero_grad()")
