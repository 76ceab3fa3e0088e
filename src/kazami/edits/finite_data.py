"""Samples that are not finite, left out or filled before the model sees them."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._losses import the_loss
from ._outputs import model_call
from ._places import Places, is_bound, last_assignment, only
from ._source import Source, Uncertain, dotted
from ._wording import free_name, renamed


class FiniteData(AbstractEdit):
    """Inserts the filter before the statement that calls the model on a batch; before the loop where all data are one batch."""

    name: ClassVar = "finite_data"
    writes: ClassVar = ("clean_data", "fill_data")
    how: ClassVar = "Before the model's call in the loop, for inputs and targets with names of their own; before the loop where the loop takes no batches."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert the lines."""
        loss = the_loss(places)
        source = loss.source
        call = only([one for one in [model_call(places, source, loss.output)] if one is not None], "the model is called")
        inputs = _name_of(call.args[0].value if len(call.args) == 1 else None)
        target = _name_of(loss.target)
        names = {"inputs": inputs, "target": target}
        for new in ("keep", "finite"):
            names[new] = free_name(source.text, new)
        spot = first_use(source, call, [inputs, target] if change.name == "clean_data" else [inputs])
        draft.before(source, spot, draft.rooted(source, renamed(change.code, names)))


def _name_of(node: cst.BaseExpression | None) -> str:
    name = dotted(node)
    if not name or "." in name:
        raise Uncertain("data without a name")
    return name


def first_use(source: Source, call: cst.Call, names: list[str]) -> cst.CSTNode:
    """Return the node before which data can be changed: where the model is called, or the loop if nothing in it makes the data.

    Raises:
        Uncertain: A name belongs to the module and is used in a function, where it cannot be assigned to.
    """
    function, loops = source.function(call), source.loops(call)
    if function is not None and not all(is_bound(source, name, function) for name in names):
        raise Uncertain("data of the module in a function")
    inner = [loop for loop in loops if any(_makes(source, loop, name) for name in names)]
    if loops and not inner:
        return loops[-1]
    block = source.statement(call)
    made = [last_assignment(source, name, call) for name in names]
    if any(one is not None and source.is_in(call, source.statement(one)) for one in made):
        raise Uncertain("data are made where they are used")
    return block


def _makes(source: Source, loop: cst.CSTNode, name: str) -> bool:
    targets = [one.target for one in source.all(cst.AssignTarget, loop)] + [one.target for one in source.all(cst.For, loop)]
    return any(isinstance(node, cst.Name) and node.value == name for target in targets for node in source.all(cst.Name, target))
