"""Standardised inputs, inside the model."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._losses import the_loss
from ._outputs import model_call
from ._places import Places, only
from ._source import Source, Uncertain, argument, dotted
from ._values import bindings
from ._wording import free_name, renamed


class StandardInputs(AbstractEdit):
    """Inserts the buffers and the hook before the training loop, with mean and spread of the script's own tensor of training inputs.

    Limits:
        Data that come from a loader or a data set without such a tensor get lines only.
    """

    name: ClassVar = "standard_inputs"
    writes: ClassVar = ("standardise_inputs",)
    how: ClassVar = "Before the training loop, where all training inputs are one tensor: a full batch, batches cut from it, or a `TensorDataset`."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert the lines."""
        step, loss = places.step, the_loss(places)
        source = loss.source
        call = only([one for one in [model_call(places, source, loss.output)] if one is not None], "the model is called")
        if len(call.args) != 1:
            raise Uncertain("a model with several inputs")
        where, data = whole_data(places, source, call.args[0].value, step.call)
        model = dotted(call.func)
        if not model or places.model_at(source, call) != model:
            raise Uncertain("another model")
        names = {"model": model, "train_inputs": data, "scale": free_name(source.text, "scale")}
        text = renamed(change.code, names)
        device = device_of(places)
        draft.before(source, where, draft.rooted(source, text.replace(")\n", f"{device})\n", 2) if device else text))


def whole_data(places: Places, source: Source, node: cst.BaseExpression, step: cst.CSTNode) -> tuple[cst.CSTNode, str]:
    """Return before which loop all inputs are known, and the name of their tensor.

    Raises:
        Uncertain: There is no such name in the function of the loop.
    """
    loop = source.outermost_loop(step)
    name = dotted(node.value) if isinstance(node, cst.Subscript) else dotted(node)
    scope = source.function(step)
    for _ in range(4):
        made_inside = [one for one in source.all(cst.Assign, loop) if any(dotted(target.target) == name for target in one.targets)]
        if not made_inside:
            break
        value = made_inside[-1].value if len(made_inside) == 1 else None
        name = dotted(value.value) if isinstance(value, cst.Subscript) else ""
    if name and not _is_target(source, loop, name) and bindings(source, name, scope):
        return loop, name
    data = [call for _, call in places.program.calls_of("torch.utils.data.TensorDataset") if _ is source and source.function(call) is scope]
    made = [argument(call, 0) for call in data]
    given = dotted(made[0].value) if len(made) == 1 and made[0] is not None else ""
    if not given or not bindings(source, given, scope):
        raise Uncertain("the inputs are no one tensor")
    return loop, given


def _is_target(source: Source, loop: cst.CSTNode, name: str) -> bool:
    return any(one.value == name for each in source.all(cst.For, loop) for one in source.all(cst.Name, each.target))


def device_of(places: Places) -> str:
    """Return ``.to(device)`` or the like where the script moves its model, empty where it does not."""
    for source, call in places.program.calls():
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in ("to", "cuda"):
            made = places.model_made
            if call is made or (made is not None and source.is_in(made, call) if source.has(made) else False):
                return source.code(call)[len(source.code(call.func.value)) :]
            if dotted(call.func.value) == places.root:
                return source.code(call)[len(places.root) :]
    return ""
