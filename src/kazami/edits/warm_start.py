"""A warm-up of the learning rate, behind the optimizer and its steps."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._numbers import tidy
from ._places import Places
from ._source import Uncertain
from ._wording import free_name

SCHEDULES = "torch.optim.lr_scheduler."
# These multiply the rate they find, so that another schedule may act on it too.
CHAINABLE = ("StepLR", "MultiStepLR", "ExponentialLR", "ConstantLR", "MultiplicativeLR")


class WarmStart(AbstractEdit):
    """Makes a ``LinearLR`` behind the optimizer, and steps it after each optimizer step.

    Limits:
        Not beside a schedule that sets the rate itself; for a step in another function than the optimizer the warm-up hangs on the optimizer as a hook.
    """

    name: ClassVar = "warm_start"
    writes: ClassVar = ("warm_up",)
    how: ClassVar = "Behind the optimizer and its step; where the two stand in different functions, as a hook of the optimizer."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert both lines."""
        source, made = places.optimizer_statement()
        optimizer = places.optimizer
        kinds = [other.called(call) for other, call in places.program.calls() if other.called(call).startswith(SCHEDULES)]
        if any(kind.removeprefix(SCHEDULES) not in CHAINABLE for kind in kinds):
            raise Uncertain("a schedule that sets the rate")
        start, steps = tidy(float(change.parameters["start_factor"])), int(change.parameters["steps"])
        name = free_name(source.text, "warmup")
        call = draft.rooted(source, f"{SCHEDULES}LinearLR")
        owned = f"self.{name}" if optimizer.name.startswith("self.") else name
        draft.after(source, made, f"{owned} = {call}({optimizer.name}, start_factor={start}, total_iters={steps})")
        step = places.step
        is_same_scope = source is step.source and source.function(step.call) is source.function(optimizer.call)
        is_same_object = optimizer.name.startswith("self.") and source is step.source and source.owner(step.call) is source.owner(optimizer.call)
        is_global = source is step.source and source.function(optimizer.call) is None
        if is_same_scope or is_same_object or is_global:
            for one in places.steps:
                draft.after(step.source, one.call, f"{owned}.step()")
        else:
            draft.after(source, made, f"{optimizer.name}.register_step_post_hook(lambda *_: {owned}.step())")
