"""Activations in the text: modules, functions and methods, and which of them stands behind a layer."""

from dataclasses import dataclass

import libcst as cst

from ._layers import LayerPlace, elements_of, uses
from ._places import Places
from ._source import Source, Uncertain, dotted
from ._values import origin

MODULES = {
    "sigmoid": ("torch.nn.Sigmoid",),
    "tanh": ("torch.nn.Tanh",),
    "relu": ("torch.nn.ReLU",),
    "softmax": ("torch.nn.Softmax",),
    "log_softmax": ("torch.nn.LogSoftmax",),
    "hardtanh": ("torch.nn.Hardtanh", "torch.nn.ReLU6"),
    "hardsigmoid": ("torch.nn.Hardsigmoid",),
    "softplus": ("torch.nn.Softplus",),
    "leaky_relu": ("torch.nn.LeakyReLU",),
    "gelu": ("torch.nn.GELU",),
    "silu": ("torch.nn.SiLU",),
    "elu": ("torch.nn.ELU",),
    "selu": ("torch.nn.SELU",),
}
PASSED_OVER = ("Dropout", "Dropout1d", "Dropout2d", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm", "GroupNorm", "RMSNorm", "MaxPool2d")


@dataclass(frozen=True, slots=True)
class ActivationPlace:
    """An activation in the text.

    Attributes:
        source: The file.
        node: The call ``nn.Sigmoid()`` or ``torch.sigmoid(x)``, or the class ``nn.Sigmoid`` where that is handed over.
        form: ``"module"``, ``"class"``, ``"function"``, ``"method"`` or ``"held"`` (``self.act(x)``).
    """

    source: Source
    node: cst.BaseExpression
    form: str


def is_function(source: Source, node: cst.CSTNode, name: str) -> bool:
    """Return whether a call is one of an activation's functions, ``torch.sigmoid(x)`` or ``F.sigmoid(x)``."""
    called = source.called(node)
    return called in (f"torch.{name}", f"torch.nn.functional.{name}", f"torch.{name}_", f"torch.special.{name}") or (
        name == "sigmoid" and called == "torch.special.expit"
    )


def is_method(node: cst.CSTNode, name: str) -> bool:
    """Return whether a call is an activation's method, ``x.sigmoid()``."""
    return (
        isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in (name, f"{name}_") and dotted(node.func.value) != "self"
    )


def is_module(source: Source, node: cst.CSTNode, name: str) -> bool:
    """Return whether a call makes an activation's module."""
    return source.called(node) in MODULES.get(name, ())


def place_of(places: Places, source: Source, node: cst.CSTNode, name: str) -> ActivationPlace | None:
    """Return the activation that an expression is, ``None`` where it is none of that name."""
    if not isinstance(node, cst.Call):
        return None
    if is_function(source, node, name):
        return ActivationPlace(source, node, "function")
    if is_module(source, node, name):
        return ActivationPlace(source, node, "module")
    if is_method(node, name) and not source.meaning(node.func).startswith("torch"):
        return ActivationPlace(source, node, "method")
    end = origin(places.program, source, node.func) if dotted(node.func) else None
    if end is not None and is_module(end.source, end.node, name):
        return ActivationPlace(source, node, "held")
    if end is not None and end.source.meaning(end.node) in MODULES.get(name, ()):
        return ActivationPlace(end.source, end.node, "class")
    if isinstance(node.func, cst.Call) and is_module(source, node.func, name):
        return ActivationPlace(source, node.func, "module")
    return None


def behind(places: Places, place: LayerPlace, name: str) -> list[ActivationPlace]:
    """Return the activation of this name that directly follows a layer, in every place where the layer is used.

    Raises:
        Uncertain: None follows, somewhere.
    """
    if place.home == "sequential" and not place.is_repeated and place.container is not None:
        return [_next_in(places, place, name)]
    return [_around(places, place.source, call, name) for call in uses(place)]


def _next_in(places: Places, place: LayerPlace, name: str) -> ActivationPlace:
    source, container = place.source, place.container
    elements = elements_of(places.program, source, container) if container is not None else []
    row = [(one, one.value) for one in elements] if isinstance(elements, list) else []  # type: ignore[attr-defined]
    if isinstance(elements, dict):
        row = [(one, one) for one in elements.values()]
    index = next((number for number, (one, _) in enumerate(row) if one is place.element), len(row))
    for _, value in row[index + 1 :]:
        found = place_of(places, source, value, name)
        if found is not None:
            return found
        if source.called(value).rpartition(".")[2] not in PASSED_OVER:
            break
    raise Uncertain(f"no {name} behind {place.name}")


def _around(places: Places, source: Source, call: cst.Call, name: str) -> ActivationPlace:
    """Return the activation around a call, or the one that its result goes to in the next statements."""
    node: cst.CSTNode = call
    for one in source.around(call):
        if isinstance(one, cst.BaseStatement | cst.BaseSmallStatement):
            break
        if isinstance(one, cst.Call):
            found = place_of(places, source, one, name)
            if found is not None:
                return found
            if not _is_passed_over(places, source, one):
                raise Uncertain(f"what follows is no {name}")
            node = one
    parent = source.parent(node)
    target = dotted(parent.targets[0].target) if isinstance(parent, cst.Assign) and len(parent.targets) == 1 else ""
    statement = source.statement(call)
    rest = source.siblings(statement)
    for later in rest[next((i for i, one in enumerate(rest) if one is statement), len(rest)) + 1 :] if target else ():
        reads = [one for one in source.all(cst.Call, later) if any(dotted(given.value) == target for given in one.args) or _is_method_of(one, target)]
        if not reads:
            continue
        for one in reads:
            found = place_of(places, source, one, name)
            if found is not None:
                return found
        if not all(_is_passed_over(places, source, one) for one in reads) or assigned_name(later) != target:
            break
    raise Uncertain(f"no {name} behind the layer")


def _is_method_of(call: cst.Call, name: str) -> bool:
    return isinstance(call.func, cst.Attribute) and dotted(call.func.value) == name


def assigned_name(statement: cst.CSTNode) -> str:
    """Return the one name that a statement assigns to, empty for any other statement."""
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    return dotted(small.targets[0].target) if isinstance(small, cst.Assign) and len(small.targets) == 1 else ""


def _is_passed_over(places: Places, source: Source, call: cst.Call) -> bool:
    if dotted(call.func).rpartition(".")[2] in ("dropout", "max_pool2d", "layer_norm", "group_norm"):
        return True
    end = origin(places.program, source, call.func) if dotted(call.func) else None
    return end is not None and end.source.called(end.node).rpartition(".")[2] in PASSED_OVER
