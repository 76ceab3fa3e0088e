"""The activation between the last layer and a loss that does not want it."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._activations import ActivationPlace, place_of
from ._base import AbstractEdit
from ._draft import Draft
from ._layers import elements_of
from ._losses import the_loss
from ._outputs import outputs_of
from ._places import Places, only
from ._source import Source, Uncertain, dotted, receiver


class OutputActivation(AbstractEdit):
    """Takes softmax, sigmoid and the like away from the output: in the loop, at the end of ``forward``, or at the end of an ``nn.Sequential``.

    Limits:
        What else reads the output as a probability is not changed.
    """

    name: ClassVar = "output_activation"
    writes: ClassVar = ("drop_output_activation",)
    how: ClassVar = "In the loss's argument, in what `forward` returns, or the last element of an `nn.Sequential`."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Take it away."""
        name = str(change.parameters["activation"])
        loss = the_loss(places)
        found = [one for source, node in outputs_of(places, loss.source, loss.output) if (one := place_of(places, source, node, name)) is not None]
        take_away(draft, places, only({id(one.node): one for one in found}.values(), f"a {name} at the output"))


def take_away(draft: Draft, places: Places, one: ActivationPlace) -> None:
    """Write what the activation is given in its place; a module at the end of ``nn.Sequential`` is left out."""
    source, node = one.source, one.node
    if not isinstance(node, cst.Call):
        raise Uncertain("an activation that is handed over")
    if one.form == "module":
        _leave_out(draft, places, source, node)
        return
    kept = receiver(node) if one.form == "method" else only(node.args[:1], "an argument").value
    if kept is None:
        raise Uncertain("no argument")
    parent = source.parent(node)
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1 and dotted(parent.targets[0].target) == dotted(kept) != "":
        draft.delete(source, node)  # x = softmax(x)
    else:
        draft.replace(source, node, source.code(kept))


def _leave_out(draft: Draft, places: Places, source: Source, node: cst.Call) -> None:
    parent = source.parent(node)
    if isinstance(parent, cst.Call) and parent.func is node:  # nn.Softmax(dim=1)(x)
        draft.replace(source, parent, source.code(only(parent.args[:1], "an argument").value))
        return
    container = source.parent(parent)
    if isinstance(parent, cst.Arg) and isinstance(container, cst.Call) and container.args[-1] is parent and len(container.args) > 1:
        if not isinstance(elements_of(places.program, source, container), list):
            raise Uncertain("a container of names")
        draft.drop_element(source, parent)
        return
    raise Uncertain("a module that stands alone")
