"""Parameters that were frozen, let go."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._numbers import tidy
from ._places import Places, only
from ._settings import group_settings, value_of
from ._source import Source, Uncertain, dotted
from ._wording import renamed, without_comments


class Unfrozen(AbstractEdit):
    """Writes ``True`` where the one ``requires_grad`` is set to ``False``, else a line before the optimizer; a rate where a parameter group has 0."""

    name: ClassVar = "unfrozen"
    writes: ClassVar = ("unfreeze",)
    how: ClassVar = "At the one `requires_grad = False` or `requires_grad_(False)`, else in a line before the optimizer; at a parameter group's rate of 0."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write it."""
        rate = change.parameters.get("learning_rate")
        if rate is not None:
            zeros = [one for one in group_settings(places, places.optimizer, "lr") if one is not None and value_of(places, one, None) == 0]
            for one in only([zeros] if zeros else [], "groups with a rate of 0"):
                draft.replace(one.source, one.node, tidy(float(rate)))
            return
        freezing = [(source, node) for source in places.program.sources for node in freezes(source)]
        if not freezing:
            raise Uncertain("where the parameters are frozen")
        if len(freezing) == 1 and not is_toggled(*freezing[0]):
            draft.replace(*freezing[0], "True")
            return
        optimizer = places.optimizer
        if any(source is optimizer.source and source.comes_before(optimizer.call, node) for source, node in freezing):
            raise Uncertain("parameters are frozen behind the optimizer")
        code = renamed(without_comments(change.code), {"model": places.root})
        draft.before(optimizer.source, optimizer.call, draft.rooted(optimizer.source, code))


def freezes(source: Source) -> list[cst.CSTNode]:
    """Return each ``False`` that freezes parameters."""
    found: list[cst.CSTNode] = []
    for one in source.all(cst.Assign):
        is_flag = any(isinstance(target.target, cst.Attribute) and target.target.attr.value == "requires_grad" for target in one.targets)
        found += [one.value] if is_flag and dotted(one.value) == "False" else []
    for call in source.all(cst.Call):
        is_flag = isinstance(call.func, cst.Attribute) and call.func.attr.value == "requires_grad_"
        found += [call.args[0].value] if is_flag and len(call.args) == 1 and dotted(call.args[0].value) == "False" else []
    return found


def is_toggled(source: Source, node: cst.CSTNode) -> bool:
    """Return whether freezing is what a function is for, or is done inside the training loop (a second player, a discriminator)."""
    function = source.function(node)
    return function is not None and any(True for _ in source.all(cst.Call, function) if dotted(_.func).endswith(".backward"))
