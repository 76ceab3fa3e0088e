"""Output and target of one shape, at the loss."""

import re
from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._losses import losses, the_loss
from ._outputs import model_call
from ._places import Places, last_assignment, only
from ._source import Source, Uncertain, dotted


class LossShapes(AbstractEdit):
    """Reshapes the output or the target where the loss is called, or in the difference that a loss by hand takes."""

    name: ClassVar = "loss_shapes"
    writes: ClassVar = ("match_shapes",)
    how: ClassVar = "At the loss's argument, or at an operand of the one difference of a loss written by hand."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the call."""
        side, call = str(change.parameters["side"]), str(change.parameters["call"])
        source, output, target = self._sides(places)
        node, other = (output, target) if side == "output" else (target, output)
        if "output" in call or "target" in call:
            if not dotted(other):
                raise Uncertain("the other side has no name")
            call = re.sub(r"\b(output|target)\b", dotted(other), call)
        text = source.code(node)
        is_simple = isinstance(node, cst.Name | cst.Attribute | cst.Call | cst.Subscript) or text.startswith("(")
        draft.replace(source, node, f"{text}.{call}" if is_simple else f"({text}).{call}")

    def _sides(self, places: Places) -> tuple[Source, cst.BaseExpression, cst.BaseExpression]:
        if losses(places):
            loss = the_loss(places)
            return loss.source, loss.output, loss.target
        return by_hand(places)


def by_hand(places: Places) -> tuple[Source, cst.BaseExpression, cst.BaseExpression]:
    """Return output and target of the one difference in a loss by hand, ``((net(x) - y) ** 2).mean()``."""
    source, backward = places.step.source, places.backward
    loss = backward.func.value if isinstance(backward.func, cst.Attribute) else backward
    assignment = last_assignment(source, dotted(loss), backward)
    within = assignment.value if assignment is not None else loss
    found = []
    for one in source.all(cst.BinaryOperation, within):
        if isinstance(one.operator, cst.Subtract):
            sides = [model_call(places, source, side) is not None for side in (one.left, one.right)]
            found += [(one.left, one.right)] if sides == [True, False] else [(one.right, one.left)] if sides == [False, True] else []
    output, target = only(found, "a difference of output and target")
    return source, output, target
