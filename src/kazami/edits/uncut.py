"""What cuts parameters off from the loss, taken away."""

import re
from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, only
from ._source import Source, dotted

_GRADIENT_FREE = re.compile(r"^torch\.(no_grad|inference_mode)\(\)$|^torch\.set_grad_enabled\(False\)$")


class Uncut(AbstractEdit):
    """Takes away the one ``detach()``, ``.data`` or ``no_grad`` block of a ``forward``."""

    name: ClassVar = "uncut"
    writes: ClassVar = ("let_gradients_through",)
    how: ClassVar = "At the one `.detach()`, `.data` or `with torch.no_grad():` in a `forward`, or between model and loss in the loop."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Take it away."""
        del change
        found = [(source, node) for source in places.program.sources for node in cuts(places, source)]
        source, node = only(found, "gradients are cut off")
        if isinstance(node, cst.With):
            draft.dedent(source, node)
            return
        kept = node.value if isinstance(node, cst.Attribute) else node.func.value  # type: ignore[attr-defined]
        draft.replace(source, node, source.code(kept))


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
