"""The logarithm of a softmax in one operation."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._activations import place_of
from ._base import AbstractEdit
from ._draft import Draft
from ._outputs import outputs_of
from ._places import Places, only
from ._source import Source, Uncertain, argument


class LogarithmOfSoftmax(AbstractEdit):
    """Writes ``log_softmax`` where a logarithm is taken of a softmax, in one expression or over a name."""

    name: ClassVar = "logarithm_of_softmax"
    writes: ClassVar = ("log_softmax",)
    how: ClassVar = "At `torch.log(torch.softmax(x, d))`, `F.softmax(x, d).log()`, and over a variable or the model's own softmax at its end."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write it."""
        del change
        found = []
        for source, call in places.program.calls():
            taken = taken_of(source, call)
            for other, node in outputs_of(places, source, _bounded(source, taken)) if taken is not None else ():
                softmax = place_of(places, other, node, "softmax")
                if softmax is not None and softmax.node is node and isinstance(node, cst.Call) and softmax.form != "module":
                    found.append((source, call, other, node, softmax.form))
                    break
        source, call, other, node, form = only(found, "a logarithm of a softmax")
        if other is not source or source.function(call) is not other.function(node):
            raise Uncertain("a softmax in another function")
        logits = node.func.value if form == "method" and isinstance(node.func, cst.Attribute) else only(node.args[:1], "logits").value
        if form == "held":
            raise Uncertain("a softmax with its axis elsewhere")
        axis = argument(node, 0 if form == "method" else 1, "dim")
        if not source.is_in(node, call) and _is_changed(source, logits, node, call):
            raise Uncertain("the logits change between softmax and logarithm")
        dim = source.code(axis.value) if axis is not None else "-1"
        draft.replace(source, call, f"{draft.rooted(source, 'F.log_softmax')}({source.code(logits)}, dim={dim})")


def taken_of(source: Source, call: cst.Call) -> cst.BaseExpression | None:
    """Return what a logarithm is taken of, ``None`` for any other call."""
    if source.called(call) == "torch.log" and call.args:
        return call.args[0].value
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == "log" and not call.args and not source.meaning(call.func):
        return call.func.value
    return None


def _bounded(source: Source, node: cst.BaseExpression | None) -> cst.BaseExpression:
    """Return what stands under a bound against zero: ``p`` of ``p + 1e-9`` and of ``p.clamp(min=1e-9)``."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add) and isinstance(node.right, cst.Float):
        return node.left
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in ("clamp", "clamp_min"):
        return node.func.value
    if node is None:
        raise Uncertain("no logarithm")
    del source
    return node


def _is_changed(source: Source, logits: cst.BaseExpression, first: cst.CSTNode, last: cst.CSTNode) -> bool:
    """Return whether a name in the logits is assigned to between two places, or the logits are more than names."""
    names = {one.value for one in source.all(cst.Name, logits)}
    between = [one for one in source.all(cst.AssignTarget) if source.comes_before(first, one) and source.comes_before(one, last)]
    own = source.parent(first)
    targets = {name.value for one in (*between, *(own.targets if isinstance(own, cst.Assign) else ())) for name in source.all(cst.Name, one)}
    return bool(names & targets) or any(True for _ in source.all(cst.Call, logits))
