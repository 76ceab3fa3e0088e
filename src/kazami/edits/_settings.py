"""The settings of an optimizer: where each is written, and how another number is put there."""

from dataclasses import dataclass

import libcst as cst

from ._draft import Draft
from ._numbers import close, tidy
from ._places import Optimizer, Places
from ._program import starred
from ._source import Source, Uncertain, argument, dotted
from ._values import Origin, entries, number, origin, origins

ADAMS = ("Adam", "AdamW", "NAdam", "RAdam", "Adamax", "SparseAdam")
# Where torch's optimizers take a setting without its name; elsewhere it is looked for by name alone.
_POSITIONS = {
    "lr": {},
    "momentum": {"SGD": 2, "RMSprop": 5},
    "betas": dict.fromkeys(ADAMS, 2),
    "weight_decay": {"SGD": 4, "Adam": 4, "AdamW": 4, "NAdam": 4, "RAdam": 4, "Adamax": 4, "RMSprop": 4, "Adagrad": 3, "Adadelta": 4},
}
_PRINTS = ("print", "info", "debug", "log", "write", "warning", "set_description", "set_postfix", "append", "basicConfig", "dict", "add_scalar")


@dataclass(frozen=True, slots=True)
class Setting:
    """A place that gives an optimizer a setting.

    Attributes:
        source: The file.
        node: The expression given.
        is_group: Whether it is given for one parameter group.
    """

    source: Source
    node: cst.BaseExpression
    is_group: bool = False


def position_of(optimizer: Optimizer, key: str) -> int | None:
    """Return at which position an optimizer takes a setting, ``None`` where only by its name."""
    return 1 if key == "lr" else _POSITIONS.get(key, {}).get(optimizer.kind)


def top_setting(places: Places, optimizer: Optimizer, key: str) -> Setting | None:
    """Return what the call gives for a setting, unpacked dictionaries included; ``None`` where it leaves the default."""
    one = argument(optimizer.call, position_of(optimizer, key), key)
    if one is not None:
        return Setting(optimizer.source, one.value)
    for star in starred(optimizer.call):
        end = origin(places.program, optimizer.source, star.value)
        if end is None:
            raise Uncertain("what a dictionary of settings holds")
        value = _entry(end, key)
        if value is not None:
            return Setting(end.source, value)
    return None


def _entry(end: Origin, key: str) -> cst.BaseExpression | None:
    if isinstance(end.node, cst.Dict):
        return next(iter(entries(end.node, key)), None)
    if isinstance(end.node, cst.Call) and dotted(end.node.func) == "dict":
        one = argument(end.node, None, key)
        return one.value if one is not None else None
    raise Uncertain("what a dictionary of settings holds")


def group_settings(places: Places, optimizer: Optimizer, key: str) -> list[Setting | None]:
    """Return for each parameter group what it gives for a setting, ``None`` where it leaves that to the call; empty without groups."""
    given = argument(optimizer.call, 0, "params")
    end = origin(places.program, optimizer.source, given.value) if given is not None else None
    if end is None or not isinstance(end.node, cst.List | cst.Tuple):
        return []
    groups = [origin(places.program, end.source, element.value) for element in end.node.elements]
    if not any(group is not None and isinstance(group.node, cst.Dict | cst.Call) for group in groups):
        return []
    found: list[Setting | None] = []
    for group in groups:
        is_group = group is not None and (isinstance(group.node, cst.Dict) or (isinstance(group.node, cst.Call) and dotted(group.node.func) == "dict"))
        if not is_group or group is None:
            return []
        value = _entry(group, key)
        found.append(Setting(group.source, value, True) if value is not None else None)
    return found


def value_of(places: Places, setting: Setting, old: float | None) -> float | None:
    """Return the number that a setting has: that of its one origin, or of the one that is ``old``."""
    numbers = [value for end in origins(places.program, setting.source, setting.node) if (value := number(end.source, end.node)) is not None]
    if old is not None and any(close(value, old) for value in numbers):
        return old
    return numbers[0] if len(numbers) == 1 else None


def put_number(draft: Draft, places: Places, setting: Setting, new: float, old: float | None) -> None:
    """Write another number where the setting comes from, or at the call where it comes from there into other things too.

    Args:
        draft: Where to write.
        places: The training's places.
        setting: The place at the call.
        new: The new number.
        old: The number it has, ``None`` where that is not known.

    Raises:
        Uncertain: The place that has the number is not the only one.
    """
    source, node = setting.source, setting.node
    ends = origins(places.program, source, node)
    fitting = [end for end in ends if (value := number(end.source, end.node)) is not None and (old is None or close(value, old))]
    if len(fitting) == 1 and (len(ends) == 1 or old is not None):
        end = fitting[0]
        if end.node is not node and is_used_elsewhere(places, setting, end):
            draft.replace(source, node, tidy(new))
        else:
            draft.replace(end.source, end.node, tidy(new, like=end.source.code(end.node)))
        return
    is_computed = len(ends) == 1 and number(ends[0].source, ends[0].node) is None and isinstance(ends[0].node, cst.BinaryOperation)
    if not is_computed or old is None:
        raise Uncertain("where the number is written")
    draft.replace(source, node, tidy(new))


def is_used_elsewhere(places: Places, setting: Setting, end: Origin) -> bool:
    """Return whether a constant that holds the number goes into other things than this setting, output to a log excepted."""
    names = [node for node in end.through if isinstance(node, cst.Name)]
    if not names:
        return False
    first = names[-1]
    uses = [
        (other, node)
        for other in places.program.sources
        for node in other.all(cst.Name)
        if node.value == first.value and (other is end.source or first.value in other.imports) and not _is_no_use(other, node)
    ]
    own = [node for other, node in uses if any(node is name for name in end.through) or _is_shown(other, node)]
    return len(own) < len([1 for other, node in uses if _same_scope(other, node, end)])


def _same_scope(source: Source, node: cst.Name, end: Origin) -> bool:
    scope = end.source.function(end.node)
    return source is not end.source or scope is None or source.is_in(node, scope)


def _is_no_use(source: Source, node: cst.Name) -> bool:
    """Return whether a name stands where it is bound, or is a keyword or an attribute."""
    parent = source.parent(node)
    if isinstance(parent, cst.AssignTarget | cst.AnnAssign | cst.Param | cst.ImportAlias | cst.Element):
        return not isinstance(parent, cst.Element | cst.Param) or isinstance(source.parent(source.parent(parent)), cst.AssignTarget | cst.FunctionDef)
    return (isinstance(parent, cst.Arg) and parent.keyword is node) or (isinstance(parent, cst.Attribute) and parent.attr is node)


def _is_shown(source: Source, node: cst.CSTNode) -> bool:
    for one in source.around(node):
        if isinstance(one, cst.FormattedStringExpression):
            return True
        if isinstance(one, cst.Call) and dotted(one.func).rpartition(".")[2] in _PRINTS:
            return True
    return False


def add_keyword(draft: Draft, source: Source, call: cst.Call, text: str) -> None:
    """Add a keyword argument to a call, behind the last argument."""
    if not call.args:
        raise Uncertain("a call without arguments")
    end = source.span(call.args[-1])[1]
    value_end = source.outer_span(call.args[-1].value)[1]
    del end
    draft.put(source, value_end, value_end, f", {text}")
