"""Standardised targets, and predictions in the old unit."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._behind_model import write_behind_model
from ._draft import Draft
from ._losses import the_loss
from ._places import Places
from ._source import Uncertain


class StandardTargets(AbstractEdit):
    """Lets the model turn its outputs back by a hook, and takes the loss in units of the targets' spread: whoever evaluates the model sees the old unit."""

    name: ClassVar = "standard_targets"
    writes: ClassVar = ("standardise_targets",)
    how: ClassVar = "In the loss's two arguments, with a hook behind the model that turns its outputs back."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write both."""
        mean, std = float(change.parameters["mean"]), float(change.parameters["std"])
        if not std > 0:
            raise Uncertain("no spread")
        loss = the_loss(places, "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
        shift, back = (f"- {mean:g}", f"+ {mean:g}") if mean >= 0 else (f"+ {-mean:g}", f"- {-mean:g}")
        for node in (loss.output, loss.target):
            draft.wrap(loss.source, node, "(", f" {shift}) / {std:g}")
        write_behind_model(draft, places, f"model.register_forward_hook(lambda module, inputs, output: output * {std:g} {back})")
