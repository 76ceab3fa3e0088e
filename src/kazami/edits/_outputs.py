"""What an output is made by: from the loss's argument back over names, the model's ``forward`` and the ends of its containers."""

from collections.abc import Iterator

import libcst as cst

from ._layers import CONTAINERS
from ._places import Places, last_assignment
from ._program import method
from ._source import Source, dotted, receiver
from ._values import origin, origins, returns

DEEPEST = 8
THROUGH = ("squeeze", "view", "reshape", "flatten", "float", "unsqueeze", "to", "view_as", "contiguous")


def outputs_of(places: Places, source: Source, node: cst.BaseExpression, depth: int = 0) -> Iterator[tuple[Source, cst.BaseExpression]]:
    """Yield the expressions whose value an output is, from the loss back to the last layer; what only reshapes is passed over."""
    if depth > DEEPEST:
        return
    yield source, node
    if isinstance(node, cst.Name):
        assignment = last_assignment(source, node.value, node)
        if assignment is not None and len(assignment.targets) == 1 and not isinstance(assignment.targets[0].target, cst.Tuple):
            yield from outputs_of(places, source, assignment.value, depth + 1)
    elif isinstance(node, cst.Call):
        yield from _of_call(places, source, node, depth)


def _of_call(places: Places, source: Source, call: cst.Call, depth: int) -> Iterator[tuple[Source, cst.BaseExpression]]:
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in THROUGH:
        yield from outputs_of(places, source, call.func.value, depth + 1)
    if source.called(call).startswith("torch."):
        return
    for end in origins(places.program, source, call.func) if dotted(call.func) else []:
        yield from _of_module(places, end.source, end.node, depth)
    name = dotted(call.func)
    if name in ("self", "self.forward"):
        owner = source.owner(call)
        if owner is not None:
            yield from _of_forward(places, source, owner, depth)
    elif name and not origins(places.program, source, call.func):
        for other, function in places.program.functions_of(source, call):
            yield from _of_function(places, other, function, depth)


def _of_module(places: Places, source: Source, made: cst.BaseExpression, depth: int) -> Iterator[tuple[Source, cst.BaseExpression]]:
    """Yield what a module's output is, by the call that makes it."""
    while isinstance(made, cst.Call) and isinstance(made.func, cst.Attribute) and made.func.attr.value in ("to", "cuda", "double", "float", "train"):
        made = made.func.value
    if not isinstance(made, cst.Call):
        return
    if source.called(made) in CONTAINERS and made.args and not made.args[-1].star:
        last = made.args[-1].value
        yield source, last
        if isinstance(last, cst.Call):
            yield from _of_module(places, source, last, depth + 1)
        return
    own = places.program.class_of(source, made.func)
    if own is not None and depth < DEEPEST:
        yield from _of_forward(places, *own, depth + 1)


def _of_forward(places: Places, source: Source, owner: cst.ClassDef, depth: int) -> Iterator[tuple[Source, cst.BaseExpression]]:
    forward = method(owner, "forward")
    if forward is not None:
        yield from _of_function(places, source, forward, depth)


def _of_function(places: Places, source: Source, function: cst.FunctionDef, depth: int) -> Iterator[tuple[Source, cst.BaseExpression]]:
    for one in returns(source, function):
        if one.value is not None:
            yield from outputs_of(places, source, one.value, depth + 1)


def model_call(places: Places, source: Source, node: cst.BaseExpression, depth: int = 0) -> cst.Call | None:
    """Return the call of a module that an output comes from, in the same function: ``net(x)`` for ``out`` after ``out = net(x)``."""
    if depth > DEEPEST:
        return None
    if isinstance(node, cst.Name):
        assignment = last_assignment(source, node.value, node)
        return model_call(places, source, assignment.value, depth + 1) if assignment is not None else None
    if not isinstance(node, cst.Call):
        return None
    end = origin(places.program, source, node.func) if dotted(node.func) else None
    made = end.source.called(end.node) if end is not None else ""
    is_module = made.startswith("torch.nn.") or (end is not None and isinstance(end.node, cst.Call) and _is_model(places, end.source, end.node))
    if is_module:
        return node
    is_method = isinstance(node.func, cst.Attribute) and not source.meaning(node.func).startswith("torch")
    inner = receiver(node) if is_method else node.args[0].value if node.args else None
    return model_call(places, source, inner, depth + 1) if inner is not None else None


def _is_model(places: Places, source: Source, made: cst.Call) -> bool:
    while isinstance(made.func, cst.Attribute) and isinstance(made.func.value, cst.Call):
        made = made.func.value
    own = places.program.class_of(source, made.func)
    return source.called(made).startswith("torch.nn.") or (own is not None and places.program.is_module_class(*own))
