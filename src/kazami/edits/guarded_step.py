"""A step that is made only where the gradients are as usual."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._numbers import tidy
from ._places import Places, Step, only
from ._source import Uncertain
from ._wording import free_name

CLIP = "torch.nn.utils.clip_grad_norm_"


class GuardedStep(AbstractEdit):
    """Puts the step under a condition on the gradient norm, or clips what stands out from its running average (ZClip).

    Limits:
        Not with a gradient scaler, which skips non-finite steps by itself.
    """

    name: ClassVar = "guarded_step"
    writes: ClassVar = ("skip_bad_step", "zclip")
    how: ClassVar = "Around `optimizer.step()`, for a step on a line of its own without a gradient scaler."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the guard."""
        step = only(places.steps if places.step else [], "an optimizer steps")
        statement = step.source.statement(step.call)
        if step.scaler or step.call.args or not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            raise Uncertain("a step of its own kind")
        if change.name == "zclip":
            self._clip_outliers(draft, places, step, change)
            return
        norm = free_name(step.source.text, "norm")
        limit = change.parameters["max_norm"]
        test = f"{norm} < {tidy(float(limit))}" if limit is not None else draft.rooted(step.source, f"torch.isfinite({norm})")
        measure = f'{norm} = {draft.rooted(step.source, CLIP)}({places.parameters_at(step)}, float("inf"))'
        block = draft.indented(step.source, f"{measure}\nif {test}:\n    ", statement)
        draft.put(step.source, step.source.span(statement)[0], step.source.span(statement)[0], block)

    def _clip_outliers(self, draft: Draft, places: Places, step: Step, change: Prescription) -> None:
        source, clip, parameters = step.source, draft.rooted(step.source, CLIP), places.parameters_at(step)
        mean, var = free_name(source.text, "mean"), free_name(source.text, "var")
        norm, z = free_name(source.text, "norm"), free_name(source.text, "z")
        settings = change.parameters
        most, memory = float(settings["z"]), float(settings["alpha"])
        loop = source.outermost_loop(step.call)
        draft.before(source, loop, f"{mean}, {var} = {tidy(float(settings['mean']))}, {tidy(float(settings['variance']))}")
        fresh = f"{1 - memory:.2g}"
        lines = [
            f'{norm} = float({clip}({parameters}, float("inf")))',
            f"{z} = ({norm} - {mean}) / {var}**0.5",
            f"{norm} = {mean} + {most**2:g} / {z} * {var}**0.5 if {z} > {most:g} else {norm}",
            f"{clip}({parameters}, {norm})",
            f"{mean}, {var} = {memory:g} * {mean} + {fresh} * {norm}, {memory:g} * {var} + {fresh} * ({norm} - {mean}) ** 2",
        ]
        draft.before(source, step.call, "\n".join(lines))
