"""What cuts parameters off from the loss, taken away."""

import re
from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, only
from ._source import Source, Uncertain, dotted
from ._values import origins

_GRADIENT_FREE = re.compile(r"^torch\.(no_grad|inference_mode)\(\)$|^torch\.set_grad_enabled\(False\)$")
COPYING = ("torch.tensor", "torch.autograd.Variable", "torch.FloatTensor", "torch.Tensor")


class Uncut(AbstractEdit):
    """Takes away the one ``detach()``, ``.data`` or ``no_grad`` block of a ``forward``, or the copy of the loss on which backward is called."""

    name: ClassVar = "uncut"
    writes: ClassVar = ("let_gradients_through",)
    how: ClassVar = "At the one `.detach()`, `.data` or `with torch.no_grad():` in a `forward`, or between model and loss in the loop; at `torch.tensor(loss)`."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Take it away."""
        del change
        whole = copies(places)
        found = [(source, node) for source in places.program.sources for node in cuts(places, source)]
        within = [(source, node) for source, node in found if any(source is other and source.is_in(node, copy) for other, copy in whole)]
        source, node = only([*whole, *(one for one in found if one not in within)], "gradients are cut off")
        if isinstance(node, cst.With):
            draft.dedent(source, node)
            return
        draft.replace(source, node, source.code(_kept(source, node)))


def cuts(places: Places, source: Source) -> list[cst.CSTNode]:
    """Return everything in a forward pass that lets no gradient through."""
    found: list[cst.CSTNode] = []
    for node in source.all(cst.CSTNode):
        is_block = isinstance(node, cst.With) and len(node.items) == 1 and _frees(source, node.items[0].item)
        is_data = isinstance(node, cst.Attribute) and node.attr.value == "data" and not isinstance(source.parent(node), cst.Attribute | cst.AssignTarget)
        is_call = isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "detach" and not node.args
        if (is_block or is_call or (is_data and dotted(node) != "torch.utils.data")) and _is_in_pass(places, source, node):
            found.append(node)
    return found


def copies(places: Places) -> list[tuple[Source, cst.CSTNode]]:
    """Return the calls that make a new tensor of the loss, without its history, for backward to begin at."""
    try:
        step, begun = places.step, places.backward.func
    except Uncertain:  # the loop stands elsewhere
        return []
    ends = origins(places.program, step.source, begun.value) if isinstance(begun, cst.Attribute) else []
    return [(end.source, end.node) for end in ends if isinstance(end.node, cst.Call) and end.source.called(end.node) in COPYING and end.node.args]


def _kept(source: Source, node: cst.CSTNode) -> cst.BaseExpression:
    """Return what stands in the place of a cut: that which was cut off."""
    if isinstance(node, cst.Attribute):
        return node.value
    if not isinstance(node, cst.Call):
        raise Uncertain("a cut of another form")
    if source.called(node) not in COPYING and isinstance(node.func, cst.Attribute):
        return node.func.value
    kept = node.args[0].value
    if isinstance(kept, cst.Call) and isinstance(kept.func, cst.Attribute) and kept.func.attr.value in ("item", "detach"):
        kept = kept.func.value
    elif isinstance(kept, cst.Attribute) and kept.attr.value == "data":
        kept = kept.value
    return kept


def _frees(source: Source, node: cst.CSTNode) -> bool:
    if not isinstance(node, cst.Call):
        return False
    return bool(_GRADIENT_FREE.match(f"{source.meaning(node.func)}({', '.join(source.code(one) for one in node.args)})"))


def _is_in_pass(places: Places, source: Source, node: cst.CSTNode) -> bool:
    function = source.function(node)
    if function is not None and function.name.value == "forward":
        return True
    step = places.step
    if source is not step.source or function is not source.function(step.call) or not source.loops(node):
        return False
    innermost = source.loops(step.call)
    text = source.code(source.statement(node))
    is_shown = bool(re.search(r"print\(|\.append\(|\.item\(\)|\+=|log", text)) and not isinstance(node, cst.With)
    return bool(innermost) and source.is_in(node, innermost[0]) and source.comes_before(node, places.backward) and not is_shown
