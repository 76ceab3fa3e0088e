"""Another activation behind the hidden layers."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._activations import ActivationPlace, behind
from ._base import AbstractEdit
from ._behind_model import write_behind_model
from ._draft import Draft
from ._layers import layer_place
from ._occurrences import hidden_occurrences
from ._places import Places
from ._source import Uncertain, dotted, receiver
from ._values import origin


class HiddenActivation(AbstractEdit):
    """Writes another activation behind each layer that the prescription names, and the initialisation that goes with it behind the model."""

    name: ClassVar = "hidden_activation"
    writes: ClassVar = ("change_activation",)
    how: ClassVar = "Modules in `nn.Sequential`, functions and methods in `forward`, classes handed over as arguments; an output's activation stays."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write it."""
        old, slope = str(change.parameters["from"]), float(change.parameters.get("negative_slope") or 0.0)
        layers = [str(name) for name in change.parameters["layers"]]
        try:
            found = [one for name in layers for one in behind(places, layer_place(places, name), old)]
        except Uncertain:
            found = hidden_occurrences(places, old)
        if not found:
            raise Uncertain("no activation behind the layers")
        for one in {id(one.node): one for one in found}.values():
            replace_activation(draft, places, one, slope, found)
        lines = [line for line in change.code.splitlines() if not line.startswith("activation = ") and not line.startswith("# not ")]
        if lines:
            write_behind_model(draft, places, "\n".join(lines))


def replace_activation(draft: Draft, places: Places, one: ActivationPlace, slope: float, hidden: list[ActivationPlace]) -> None:
    """Write ReLU, or leaky ReLU with this slope, in the place of an activation."""
    source, node = one.source, one.node
    module = "nn.LeakyReLU" if slope else "nn.ReLU"
    if one.form == "class":
        draft.replace(source, node, draft.rooted(source, module))
        return
    if not isinstance(node, cst.Call):
        raise Uncertain("an activation that is no call")
    if one.form == "module":
        draft.replace(source, node, f"{draft.rooted(source, module)}({slope:g})" if slope else f"{draft.rooted(source, module)}()")
    elif one.form == "held":
        end = origin(places.program, source, node.func)
        calls = [call for call in source.all(cst.Call) if dotted(call.func) == dotted(node.func)]
        if end is not None and isinstance(end.node, cst.Call) and all(any(call is other.node for other in hidden) for call in calls):
            replace_activation(draft, places, ActivationPlace(end.source, end.node, "module"), slope, hidden)
        else:
            _call(draft, one, slope, source.code(node.args[0].value))
    else:
        inner = receiver(node) if one.form == "method" else node.args[0].value
        _call(draft, one, slope, source.code(inner or node))


def _call(draft: Draft, one: ActivationPlace, slope: float, argument: str) -> None:
    """Write the call of a function, or of a method where the old one was a method."""
    source, node = one.source, one.node
    if one.form == "method" and not slope and isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        draft.replace(source, node.func.attr, "relu")
    elif slope and isinstance(node, cst.Call):
        value = node.args[0].value if one.form != "method" else None
        if value is None:
            draft.replace(source, node, f"{draft.rooted(source, 'F.leaky_relu')}({argument}, {slope:g})")
        else:
            draft.replace(source, node.func, draft.rooted(source, "F.leaky_relu"))
            draft.put(source, source.outer_span(value)[1], source.outer_span(value)[1], f", {slope:g}")
    elif isinstance(node, cst.Call):
        draft.replace(source, node.func, draft.rooted(source, "torch.relu"))
