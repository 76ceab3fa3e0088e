"""The weights of the lowest validation loss."""

import re
from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, only
from ._source import Source, Uncertain, dotted
from ._wording import free_name

_VALIDATION = re.compile(r"^(val|valid|validation|dev|test|eval)_?loss(es)?$|^loss_?(val|valid|validation|dev|test|eval)$", re.I)


class BestWeights(AbstractEdit):
    """Keeps a copy of the weights at the lowest validation loss, and gives it to the model behind the loop.

    Limits:
        Only where the loop computes one number whose name says that it is the validation loss.
    """

    name: ClassVar = "best_weights"
    writes: ClassVar = ("early_stopping",)
    how: ClassVar = "Behind the line that computes the one `val_loss` in the loop over epochs, and behind that loop."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert the lines."""
        del change
        step = places.step
        source, loop = step.source, step.source.outermost_loop(step.call)
        statement, name = validation_loss(source, loop)
        model = places.model_at(source, step.call)
        best, kept = free_name(source.text, "best_loss"), free_name(source.text, "best_weights")
        draft.add_import(source, "import copy", "copy")
        draft.before(source, loop, f'{best}, {kept} = float("inf"), None')
        draft.after(source, statement, f"if {name} < {best}:\n    {best}, {kept} = float({name}), copy.deepcopy({model}.state_dict())")
        draft.after(source, loop, f"if {kept} is not None:\n    {model}.load_state_dict({kept})")


def validation_loss(source: Source, loop: cst.CSTNode) -> tuple[cst.CSTNode, str]:
    """Return the last statement of a loop's own block that changes the validation loss, and its name.

    Raises:
        Uncertain: There is none, or there are several such names.
    """
    body = list(loop.body.body) if isinstance(loop, cst.For | cst.While) and isinstance(loop.body, cst.IndentedBlock) else []
    found: dict[str, cst.CSTNode] = {}
    for statement in body:
        targets = [one.target for one in source.all(cst.AssignTarget, statement)] + [one.target for one in source.all(cst.AugAssign, statement)]
        for target in targets:
            if isinstance(target, cst.Name) and _VALIDATION.match(target.value):
                found[dotted(target)] = statement
    name = only(found, "a validation loss")
    if any(dotted(call.func) == f"{name}.append" for call in source.all(cst.Call)):
        raise Uncertain("a list of validation losses")
    return found[name], name
