"""The loss that fits what the model returns."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._losses import change_kind, losses
from ._places import Places, only
from ._source import Uncertain

CLASSES = {"binary_cross_entropy": "BCELoss", "nll_loss": "NLLLoss", "cross_entropy": "CrossEntropyLoss"}


class FittingLoss(AbstractEdit):
    """Writes another loss, and the logarithm that it expects around the output."""

    name: ClassVar = "fitting_loss"
    writes: ClassVar = ("matching_loss",)
    how: ClassVar = "At the loss's function, or where its module is made; settings of the old loss are refused."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write it."""
        call = str(change.parameters["call"])
        loss = only(losses(places, str(change.parameters["from"])), "a loss is taken")
        if len(loss.call.args) > 2:
            raise Uncertain("a loss with settings of its own")
        to = call.split("(")[0]
        if loss.kind != to:
            if loss.made is not None and loss.made.args:
                raise Uncertain("a loss with settings of its own")
            node, source, name = change_kind((CLASSES[to], to), loss)
            draft.replace(source, node, draft.rooted(source, name))
        text = loss.source.code(loss.output)
        if "torch.log(" in call:
            log = draft.rooted(loss.source, "torch.log")
            bare = text if text.isidentifier() or text.endswith(")") else f"({text})"
            draft.replace(loss.source, loss.output, f"{log}({bare}.clamp_min(1e-7))")
        elif "F.log_softmax(" in call:
            raise Uncertain("the activation before the loss has to go as well")
