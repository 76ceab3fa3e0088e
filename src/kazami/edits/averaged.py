"""An average of the weights, behind the steps."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places
from ._source import Uncertain
from ._wording import free_name

SWA = "torch.optim.swa_utils"


class Averaged(AbstractEdit):
    """Makes an average of the model before the loop, takes each step's weights into it, and gives it to the model behind the loop.

    Limits:
        A script that evaluates inside its loop sees the weights as they are; it gets lines only.
    """

    name: ClassVar = "averaged"
    writes: ClassVar = ("average_weights",)
    how: ClassVar = "Around a training loop that evaluates nothing inside it."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert the three lines."""
        step = places.step
        source, loop = step.source, step.source.outermost_loop(step.call)
        inside = {call.func.attr.value for call in source.all(cst.Call, loop) if isinstance(call.func, cst.Attribute)}
        if "eval" in inside or "no_grad" in inside:
            raise Uncertain("an evaluation inside the loop")
        model, name = places.model_at(source, step.call), free_name(source.text, "average")
        decay = f"{float(change.parameters['decay']):g}"
        made = draft.rooted(source, f"{SWA}.AveragedModel({model}, multi_avg_fn={SWA}.get_ema_multi_avg_fn({decay}), use_buffers=True)")
        draft.before(source, loop, f"{name} = {made}")
        for one in places.steps:
            draft.after(source, one.call, f"{name}.update_parameters({model})")
        draft.after(source, loop, f"{model}.load_state_dict({name}.module.state_dict())")
