"""Layers in a Python container, registered with their module."""

import re
from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, only
from ._source import Source, Uncertain, dotted
from ._values import assigned


class Registered(AbstractEdit):
    """Puts ``nn.ModuleList`` (or ``ModuleDict``, ``ParameterList``, ``ParameterDict``) around what is assigned to the attribute."""

    name: ClassVar = "registered"
    writes: ClassVar = ("register_modules",)
    how: ClassVar = "Where the list or dictionary is assigned to `self`; an empty one that is filled later becomes an empty container."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the container around it."""
        for path, kind in change.parameters["containers"].items():
            name = str(path).rpartition(".")[2]
            places_of_name = [
                (source, value)
                for source, owner in places.program.module_classes
                for target, value, _ in assigned(source, owner)
                if dotted(target) == f"self.{name}" and value is not None and _is_plain(source, value)
            ]
            source, value = only(places_of_name, f"{name} is assigned")
            _must_follow_init(source, value)
            made = draft.rooted(source, f"nn.{kind}")
            if isinstance(value, cst.List | cst.Dict | cst.Tuple) and not value.elements:
                draft.replace(source, value, f"{made}()")
            else:
                draft.wrap(source, value, f"{made}(", ")")


def _is_plain(source: Source, node: cst.BaseExpression) -> bool:
    """Return whether a value is, or may be, a plain list or dictionary: one that is written out, or a name."""
    if isinstance(node, cst.List | cst.ListComp | cst.Dict | cst.DictComp | cst.Tuple | cst.Name):
        return True
    return isinstance(node, cst.Call) and dotted(node.func) in ("list", "dict", "tuple") and bool(source.code(node))


def _must_follow_init(source: Source, value: cst.CSTNode) -> None:
    function = source.function(value)
    inits = [one for one in source.all(cst.Call, function or source.module) if re.search(r"super\(.*\)\.__init__|Module\.__init__", source.code(one.func))]
    if not any(source.comes_before(one, value) for one in inits) and function is not None and function.name.value == "__init__":
        raise Uncertain("the module is not initialised there yet")
