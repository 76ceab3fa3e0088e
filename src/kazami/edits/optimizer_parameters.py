"""The parameters that an optimizer was not given."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places
from ._source import Source, Uncertain, argument, dotted


class OptimizerParameters(AbstractEdit):
    """Gives the optimizer the whole model where it got a part of it; adds what was put into the model later by ``add_param_group``.

    Limits:
        Parameters outside of the one model are not found.
    """

    name: ClassVar = "optimizer_parameters"
    writes: ClassVar = ("add_to_optimizer",)
    how: ClassVar = "`model.parameters()` instead of a part's, or `add_param_group` behind the layer that was put into the model after its optimizer was made."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write it."""
        names = [str(name) for name in change.parameters["parameters"]]
        if not names or any(name.startswith("tensor ") for name in names):
            raise Uncertain("parameters without names")
        optimizer, root = places.optimizer, places.root
        source = optimizer.source
        later = replaced_later(places, source, root, names)
        if later and all(any(name.startswith(f"{part}.") for part in later) for name in names):
            for part, statement in later.items():
                draft.after(source, statement, f'{optimizer.name or places.step.optimizer}.add_param_group({{"params": {root}.{part}.parameters()}})')
            return
        given = argument(optimizer.call, 0, "params")
        node = places.parameters_given(optimizer)
        if given is None or _has_groups(source, node) or not self._is_part(source, node, root):
            raise Uncertain("what the optimizer is given")
        if later:  # of what it was given, at least a part is in the model no more
            self._move(draft, places, given, list(later.values())[-1])
            return
        draft.replace(source, node if node is not given.value else given.value, f"{root}.parameters()")

    def _move(self, draft: Draft, places: Places, given: cst.Arg, last: cst.CSTNode) -> None:
        """Make the optimizer behind the last part that was put into the model, with the whole of it."""
        optimizer, source = places.optimizer, places.optimizer.source
        statement = source.parent(optimizer.call)
        used = [one for one in source.all(cst.BaseExpression) if dotted(one) == optimizer.name and source.comes_before(optimizer.call, one)]
        if not optimizer.name or not isinstance(statement, cst.Assign) or any(source.comes_before(one, last) for one in used):
            raise Uncertain("an optimizer that is used before")
        draft.delete(source, optimizer.call)
        draft.after(source, last, source.code(statement).replace(source.code(given.value), f"{places.root}.parameters()", 1))

    def _is_part(self, source: Source, node: cst.BaseExpression, root: str) -> bool:
        """Return whether an expression takes the parameters of nothing but parts of the model."""
        calls = [one for one in source.all(cst.Call, node) if isinstance(one.func, cst.Attribute) and one.func.attr.value in ("parameters", "named_parameters")]
        owners = [dotted(one.func.value) for one in calls if isinstance(one.func, cst.Attribute)]
        return bool(owners) and all(
            owner == root or owner.startswith(f"{root}.") or _indexes(source, one, root) for owner, one in zip(owners, calls, strict=True)
        )


def _indexes(source: Source, call: cst.Call, root: str) -> bool:
    return source.code(call.func).startswith((f"{root}[", f"{root}."))


def _has_groups(source: Source, node: cst.BaseExpression) -> bool:
    return any(True for _ in source.all(cst.Dict, node)) or not (isinstance(node, cst.Call | cst.List | cst.ListComp | cst.GeneratorExp | cst.BinaryOperation))


def replaced_later(places: Places, source: Source, root: str, names: list[str]) -> dict[str, cst.CSTNode]:
    """Return the parts of the model that hold some of these parameters and are assigned anew behind the optimizer, with the statements that do so."""
    made, function = places.optimizer.call, source.function(places.optimizer.call)
    found: dict[str, cst.CSTNode] = {}
    for one in source.all(cst.AssignTarget):
        target = dotted(one.target)
        if target.startswith(f"{root}.") and source.function(one) is function and source.comes_before(made, one) and not source.loops(one):
            found[target.removeprefix(f"{root}.")] = source.statement(one)
    return {part: statement for part, statement in found.items() if any(name.startswith(f"{part}.") for name in names)}
