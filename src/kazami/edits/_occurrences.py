"""All places of an activation in a script, told apart by whether a layer follows: for layers made in loops, and classes that are handed over."""

import libcst as cst

from ._activations import MODULES, ActivationPlace, is_function, is_method, is_module
from ._layers import WEIGHTED
from ._places import Places
from ._source import Source, Uncertain, dotted
from ._values import origins


def hidden_occurrences(places: Places, name: str) -> list[ActivationPlace]:
    """Return the places of an activation behind which another layer is made or called, for the scripts whose model is not a plain list of layers.

    Raises:
        Uncertain: Of one of the places this cannot be told, or there is none.
    """
    hidden: list[ActivationPlace] = []
    for source in places.program.sources:
        for node in source.all(cst.BaseExpression):
            one = _occurrence(source, node, name)
            if one is not None and _is_hidden(places, one):
                hidden.append(one)
    if not hidden:
        raise Uncertain(f"no {name} between layers")
    return hidden


def _is_hidden(places: Places, one: ActivationPlace) -> bool:
    if one.form != "class":
        return not is_last(one.source, one.node)
    made = [(source, call) for source, call in places.program.calls() if any(end.node is one.node for end in origins(places.program, source, call.func))]
    answers = {is_last(source, call) for source, call in made}
    if len(answers) > 1:
        raise Uncertain("a class for hidden layers and for the output")
    return answers == {False}


def _occurrence(source: Source, node: cst.CSTNode, name: str) -> ActivationPlace | None:
    if is_module(source, node, name):
        return ActivationPlace(source, node, "module")  # type: ignore[arg-type]
    if is_function(source, node, name) or (is_method(node, name) and source.called(node) == ""):
        owner = source.function(node)
        if owner is None or owner.name.value != "forward":
            return None
        raise Uncertain("a function call that no layer was found for")
    is_class = isinstance(node, cst.Name | cst.Attribute) and source.meaning(node) in MODULES.get(name, ())
    if is_class and not isinstance(source.parent(node), cst.Call | cst.Attribute | cst.ImportAlias):
        return ActivationPlace(source, node, "class")  # type: ignore[arg-type]
    return None


def is_last(source: Source, node: cst.CSTNode) -> bool:
    """Return whether no layer with weights follows an activation in what it is a part of.

    Raises:
        Uncertain: It is in a loop, or handed over, and nothing that follows can be seen.
    """
    for one in source.around(node):
        row = _row(one)
        if row is not None:
            index = next(number for number, element in enumerate(row) if source.is_in(node, element))
            if any(_makes_layer(source, element) for element in row[index + 1 :]):
                return False
        if isinstance(one, cst.For | cst.ListComp):
            return not _follows(source, one)
        if isinstance(one, cst.FunctionDef | cst.ClassDef | cst.Module):
            break
        if isinstance(one, cst.SimpleStatementLine) and _follows(source, node):
            return False
    if isinstance(source.parent(node), cst.Arg) and not source.called(source.parent(source.parent(node))).startswith("torch.nn."):
        raise Uncertain("an activation that is handed over")
    return True


def _row(node: cst.CSTNode) -> list[cst.CSTNode] | None:
    if isinstance(node, cst.List | cst.Tuple):
        return list(node.elements)
    return list(node.args) if isinstance(node, cst.Call) and len(node.args) > 1 else None


def _makes_layer(source: Source, node: cst.CSTNode) -> bool:
    return any(source.called(call).removeprefix("torch.nn.") in WEIGHTED for call in source.all(cst.Call, node))


def _follows(source: Source, node: cst.CSTNode) -> bool:
    """Return whether a layer is added to the same list, or in the same ``nn.Sequential``, behind a node."""
    function = source.function(node)
    names = {_list_of(call) for call in source.all(cst.Call, source.statement(node)) if _list_of(call)}
    names |= {dotted(one.target) for one in source.all(cst.AugAssign, source.statement(node))}
    names |= {dotted(target.target) for one in source.all(cst.Assign, source.statement(node)) for target in one.targets}  # the list as it begins
    later = [one for one in source.all(cst.Call, function or source.module) if source.comes_before(node, one) and _list_of(one) in names]
    more = [one for one in source.all(cst.AugAssign, function or source.module) if source.comes_before(node, one) and dotted(one.target) in names]
    around = next((one for one in source.around(node) if isinstance(one, cst.Call) and source.called(one) == "torch.nn.Sequential"), None)
    behind = [arg for arg in around.args if source.comes_before(node, arg)] if around is not None else []
    return bool(names or behind) and any(_makes_layer(source, one) for one in (*later, *more, *behind))


def _list_of(call: cst.Call) -> str:
    is_added = isinstance(call.func, cst.Attribute) and call.func.attr.value in ("append", "extend", "add_module")
    return dotted(call.func.value) if is_added and isinstance(call.func, cst.Attribute) else ""
