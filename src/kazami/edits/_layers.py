"""Where the layers of a model are written: from a layer's name in the running model to the call that makes it and the calls that use it."""

from dataclasses import dataclass

import libcst as cst

from ._places import Places
from ._program import Program, method
from ._source import Source, Uncertain, dotted
from ._values import bindings, origin, text_of

CONTAINERS = ("torch.nn.Sequential", "torch.nn.ModuleList")
WEIGHTED = ("Linear", "LazyLinear", "Bilinear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Embedding")


@dataclass(frozen=True, slots=True)
class LayerPlace:
    """A layer in the text.

    Attributes:
        name: As in the running model, ``"net.2"``.
        source: The file.
        made: The call that makes it.
        home: What holds it: ``"sequential"``, ``"list"`` (an ``nn.ModuleList``) or ``"attribute"``.
        element: The argument or element that it is in a container.
        owner: The class whose ``forward`` uses it; ``None`` for a bare ``nn.Sequential``.
        attribute: The attribute of ``self`` that holds it, or its container.
        container: The call that makes the container.
        is_repeated: Whether one text makes several layers.
    """

    name: str
    source: Source
    made: cst.Call
    home: str
    element: cst.CSTNode | None
    owner: cst.ClassDef | None
    attribute: str
    container: cst.Call | None
    is_repeated: bool = False


def layer_place(places: Places, name: str) -> LayerPlace:
    """Return where a layer is written.

    Raises:
        Uncertain: The way from the model to the layer is not plain in the text.
    """
    made = places.model_made
    if places.root == "self":
        owner = places.optimizer.source.owner(places.optimizer.call)
        if owner is None:
            raise Uncertain("a module without a class")
        return _in_class(places.program, places.optimizer.source, owner, name.split("."), name)
    source = _source_of(places.program, made)
    if made is None or source is None:
        raise Uncertain("how the model is made")
    return _below(places.program, source, made, name.split("."), LayerPlace(name, source, cst.Call(cst.Name("_")), "", None, None, "", None))


def _source_of(program: Program, node: cst.CSTNode | None) -> Source | None:
    return next((one for one in program.sources if one.has(node)), None)


def _below(program: Program, source: Source, made: cst.CSTNode, parts: list[str], so_far: LayerPlace) -> LayerPlace:
    """Go down from what makes a module to the module that ``parts`` name in it."""
    made = _unwrapped(source, made)
    if not isinstance(made, cst.Call):
        raise Uncertain("a module that no call makes")
    if not parts:
        return _with(so_far, source=source, made=made)
    kind = source.called(made)
    if kind in CONTAINERS:
        element, value, is_repeated = _element(program, source, made, parts[0])
        found = origin(program, source, value) if isinstance(value, cst.Name | cst.Attribute) else None
        node_source, node = (found.source, found.node) if found is not None else (source, value)
        below = _with(so_far, source=source, element=element, home="sequential" if kind.endswith("Sequential") else "list", container=made)
        return _below(program, node_source, node, parts[1:], _with(below, is_repeated=so_far.is_repeated or is_repeated))
    own = program.class_of(source, made.func)
    if own is None:
        raise Uncertain("a module whose class is elsewhere")
    return _in_class(program, *own, parts, so_far.name)


def _in_class(program: Program, source: Source, owner: cst.ClassDef, parts: list[str], name: str) -> LayerPlace:
    bound = [one for one in bindings(source, f"self.{parts[0]}", owner) if one is not None]
    if len(bound) != 1:
        raise Uncertain(f"where {parts[0]} is made")
    found = origin(program, source, bound[0])
    if found is None:
        raise Uncertain(f"where {parts[0]} is made")
    so_far = LayerPlace(name, source, cst.Call(cst.Name("_")), "attribute", None, owner, parts[0], None)
    return _below(program, found.source, found.node, parts[1:], so_far)


def _with(place: LayerPlace, **changes: object) -> LayerPlace:
    kept = {key: getattr(place, key) for key in place.__dataclass_fields__}
    return LayerPlace(**{**kept, **changes})


def _unwrapped(source: Source, made: cst.CSTNode) -> cst.CSTNode:
    """Return what is made under ``torch.compile(…)``, ``….to(device)`` and the like."""
    while isinstance(made, cst.Call):
        if source.called(made) in ("torch.compile", "torch.nn.utils.weight_norm", "torch.nn.utils.spectral_norm") and made.args:
            made = made.args[0].value
        elif isinstance(made.func, cst.Attribute) and made.func.attr.value in ("to", "cuda", "cpu", "double", "float", "train"):
            made = made.func.value
        else:
            break
    return made


def _element(program: Program, source: Source, made: cst.Call, key: str) -> tuple[cst.CSTNode, cst.BaseExpression, bool]:
    """Return the element of a container under a number or a name, its expression, and whether one text makes several."""
    elements = elements_of(program, source, made)
    if isinstance(elements, cst.ListComp | cst.GeneratorExp):
        return elements, elements.elt, True
    if isinstance(elements, dict):
        if key in elements:
            return elements[key], elements[key], False
    elif key.isdecimal() and int(key) < len(elements):
        one = elements[int(key)]
        return one, one.value, False  # type: ignore[attr-defined]
    raise Uncertain("an element of a container")


def elements_of(program: Program, source: Source, made: cst.Call) -> list[cst.CSTNode] | dict[str, cst.BaseExpression] | cst.ListComp | cst.GeneratorExp:
    """Return the elements that a container's call writes out, or the comprehension that makes them."""
    if not any(one.star for one in made.args) and source.called(made).endswith("Sequential"):
        first = made.args[0].value if len(made.args) == 1 else None
        if isinstance(first, cst.Call) and dotted(first.func).endswith("OrderedDict") and first.args:
            return _named(first.args[0].value)
        return list(made.args)
    if len(made.args) == 1:
        found = origin(program, source, made.args[0].value)
        if found is not None and found.source is source and not _grows(source, made.args[0].value):
            if isinstance(found.node, cst.ListComp | cst.GeneratorExp):
                return found.node
            if isinstance(found.node, cst.List | cst.Tuple) and not any(isinstance(one, cst.StarredElement) for one in found.node.elements):
                return list(found.node.elements)
    raise Uncertain("the elements of a container")


def _grows(source: Source, node: cst.CSTNode) -> bool:
    """Return whether a list of this name is added to somewhere."""
    name = dotted(node)
    added = any(dotted(call.func) in (f"{name}.append", f"{name}.extend", f"{name}.insert") for call in source.all(cst.Call))
    return bool(name) and (added or any(dotted(one.target) == name for one in source.all(cst.AugAssign)))


def _named(node: cst.BaseExpression) -> dict[str, cst.BaseExpression]:
    pairs = [one.value for one in node.elements] if isinstance(node, cst.List | cst.Tuple) else []
    return {
        text_of(pair.elements[0].value) or "": pair.elements[1].value for pair in pairs if isinstance(pair, cst.Tuple | cst.List) and len(pair.elements) == 2
    }


def uses(place: LayerPlace) -> list[cst.Call]:
    """Return the calls that use a layer in the ``forward`` of its class: ``self.fc1(x)``, ``layer(x)`` in a loop over the list that holds it.

    Raises:
        Uncertain: There is no such call.
    """
    source, owner = place.source, place.owner
    source = next((one for one in (source,) if owner is not None and one.has(owner)), source)
    forward = method(owner, "forward") if owner is not None else None
    if forward is None:
        raise Uncertain("no forward")
    calls = source.all(cst.Call, forward)
    if place.home == "attribute":
        found = [one for one in calls if dotted(one.func) == f"self.{place.attribute}"]
    else:
        names = _running_names(source, forward, f"self.{place.attribute}")
        index = place.name.rpartition(".")[2]
        found = [one for one in calls if dotted(one.func) in names or source.code(one.func).replace(" ", "") == f"self.{place.attribute}[{index}]"]
    if not found:
        raise Uncertain("the layer is not called in forward")
    return found


def _running_names(source: Source, forward: cst.FunctionDef, container: str) -> set[str]:
    """Return the names that run over a container in loops."""
    names = set()
    for loop in source.all(cst.For, forward):
        iterated: cst.BaseExpression = loop.iter
        target: cst.CSTNode = loop.target
        if isinstance(iterated, cst.Call) and dotted(iterated.func) == "enumerate" and iterated.args and isinstance(target, cst.Tuple):
            iterated, target = iterated.args[0].value, target.elements[-1].value
        if isinstance(iterated, cst.Subscript):
            iterated = iterated.value
        if dotted(iterated) == container:
            names.add(dotted(target))
    return names - {""}


def runs_over_all(place: LayerPlace) -> bool:
    """Return whether the loop that uses a list's layers runs over the whole list, so that the last one is used as the others are."""
    forward = method(place.owner, "forward") if place.owner is not None else None
    loops = place.source.all(cst.For, forward) if forward is not None else []
    return any(place.source.code(one.iter) in (f"self.{place.attribute}", f"enumerate(self.{place.attribute})") for one in loops)
