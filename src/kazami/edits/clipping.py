"""Clipping of the gradient norm, between backward and step."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._numbers import tidy
from ._places import Places, Step, only
from ._settings import Setting, put_number
from ._source import Source, argument, dotted
from ._values import origin

CLIP = "torch.nn.utils.clip_grad_norm_"


class Clipping(AbstractEdit):
    """Inserts ``clip_grad_norm_`` before the step, or writes another limit where the script clips already."""

    name: ClassVar = "clipping"
    writes: ClassVar = ("clip_gradients", "lift_clipping")
    how: ClassVar = "Between `backward` and the step, after `unscale_` where a gradient scaler is used; where the script clips, its limit is changed."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert the line, or change the limit."""
        limit = float(change.parameters["max_norm"])
        clips = clipping_calls(places)
        if clips or change.name == "lift_clipping":
            source, call = only(clips, "the script clips")
            given = argument(call, 1, "max_norm")
            put_number(draft, places, Setting(source, only([given] if given is not None else [], "a limit").value), limit, None)
            return
        only({step.optimizer for step in [places.step]}, "an optimizer steps")
        for step in places.steps:
            insert_before_step(draft, places, step, f"{draft.rooted(step.source, CLIP)}({places.parameters_at(step)}, {tidy(limit)})")


def clipping_calls(places: Places) -> list[tuple[Source, cst.Call]]:
    """Return the calls that clip the gradient norm; one that only measures it (an infinite limit) does not count."""
    found = []
    for source, call in places.program.calls():
        if source.meaning(call.func) in (CLIP, CLIP.removesuffix("_")) or dotted(call.func).endswith("clip_grad_norm_"):
            given = argument(call, 1, "max_norm")
            end = origin(places.program, source, given.value) if given is not None else None
            text = source.code(end.node) if end is not None else ""
            found += [] if "inf" in text else [(source, call)]
    return found


def insert_before_step(draft: Draft, places: Places, step: Step, code: str) -> None:
    """Insert lines before a step, on gradients in their own unit: a scaler's scale is taken off first."""
    lines = code
    if step.scaler:
        unscales = [call for call in step.source.all(cst.Call) if dotted(call.func) == f"{step.scaler}.unscale_"]
        near = [call for call in unscales if step.source.function(call) is step.source.function(step.call)]
        if not near:
            lines = f"{step.scaler}.unscale_({step.optimizer})\n{code}"
    draft.before(step.source, step.call, lines)
