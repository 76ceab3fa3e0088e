"""All files of a script together: their classes and functions, and where those are called."""

import os
from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from ._reading import Script
from ._source import Source, Uncertain, argument, dotted, parsed


class Program:
    """The parsed files of a script.

    Args:
        script: Files that libcst cannot parse are left out.

    Raises:
        Uncertain: The main file is no Python that libcst knows.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        found: dict[str, Source] = {}
        for path, text in script.files.items():
            try:
                found[path] = parsed(path, text)
            except (cst.ParserSyntaxError, UnicodeError):
                continue
        if script.main not in found:
            raise Uncertain("the main file does not parse")
        self.main = found[script.main]
        self.sources = tuple(found.values())

    def calls(self) -> Iterator[tuple[Source, cst.Call]]:
        """Yield all calls."""
        for source in self.sources:
            for call in source.all(cst.Call):
                yield source, call

    def calls_of(self, *names: str) -> list[tuple[Source, cst.Call]]:
        """Return the calls of functions or classes with these full names (``"torch.nn.Dropout"``)."""
        return [(source, call) for source, call in self.calls() if source.called(call) in names]

    @cached_property
    def classes(self) -> dict[str, list[tuple[Source, cst.ClassDef]]]:
        """All classes by name."""
        found: dict[str, list[tuple[Source, cst.ClassDef]]] = {}
        for source in self.sources:
            for node in source.all(cst.ClassDef):
                found.setdefault(node.name.value, []).append((source, node))
        return found

    def class_of(self, source: Source, node: cst.CSTNode) -> tuple[Source, cst.ClassDef] | None:
        """Return the class of the script that a name in ``source`` stands for."""
        name = dotted(node)
        meant = source.meaning(node)
        if meant.startswith("torch.") or not name:
            return None
        found = self.classes.get((meant or name).rpartition(".")[2], [])
        own = [one for one in found if one[0] is source]
        chosen = own if own and not meant else found
        return chosen[0] if len(chosen) == 1 else None

    def is_module_class(self, source: Source, node: cst.ClassDef, depth: int = 0) -> bool:
        """Return whether a class derives from ``torch.nn.Module`` (or Lightning's), directly or by classes of the script."""
        for base in node.bases:
            meant = source.meaning(base.value)
            if meant.startswith(("torch.nn.", "pytorch_lightning.", "lightning.")) or meant.endswith("LightningModule"):
                return True
            parent = self.class_of(source, base.value)
            if parent is not None and depth < 10 and self.is_module_class(*parent, depth + 1):
                return True
        return False

    @cached_property
    def module_classes(self) -> list[tuple[Source, cst.ClassDef]]:
        """The classes of models."""
        return [(source, node) for found in self.classes.values() for source, node in found if self.is_module_class(source, node)]

    def functions_of(self, source: Source, call: cst.Call) -> list[tuple[Source, cst.FunctionDef]]:
        """Return the functions of the script that a call may call; ``__init__`` for a class, methods by their name."""
        name = dotted(call.func)
        made = self.class_of(source, call.func)
        if made is not None:
            init = method(made[1], "__init__")
            return [(made[0], init)] if init is not None else []
        last = name.rpartition(".")[2]
        meant = source.meaning(call.func)
        if not last or meant.startswith("torch"):
            return []
        found = [(other, node) for other in self.sources for node in other.all(cst.FunctionDef) if node.name.value == last]
        if "." in name and not meant:
            return [(other, node) for other, node in found if isinstance(_home(other, node), cst.ClassDef)]
        own = [(other, node) for other, node in found if other is source and not isinstance(_home(other, node), cst.ClassDef)]
        return own or [(other, node) for other, node in found if meant and other is not source]

    def call_sites(self, source: Source, function: cst.FunctionDef) -> list[tuple[Source, cst.Call]]:
        """Return the calls of a function of the script; for ``__init__`` those of its class."""
        home = _home(source, function)
        name = function.name.value
        if name == "__init__" and isinstance(home, cst.ClassDef):
            return [(other, call) for other, call in self.calls() if self.class_of(other, call.func) == (source, home)]
        sites = [(other, call) for other, call in self.calls() if dotted(call.func).rpartition(".")[2] == name]
        return [(other, call) for other, call in sites if any(node is function for _, node in self.functions_of(other, call))]

    def source_of(self, name: str) -> Source | None:
        """Return the file of a module of the script by its dotted name."""
        tail = name.replace(".", os.sep)
        found = [one for one in self.sources if one.path.endswith((f"{os.sep}{tail}.py", f"{os.sep}{tail}{os.sep}__init__.py"))]
        return found[0] if len(found) == 1 else None


def _home(source: Source, function: cst.FunctionDef) -> cst.CSTNode | None:
    return source.nearest(function, cst.FunctionDef, cst.ClassDef)


def method(node: cst.ClassDef, name: str) -> cst.FunctionDef | None:
    """Return a method of a class by name."""
    return next((one for one in node.body.body if isinstance(one, cst.FunctionDef) and one.name.value == name), None)


def parameter_names(function: cst.FunctionDef) -> list[str]:
    """Return the names of a function's positional parameters, ``self`` included."""
    return [one.name.value for one in (*function.params.posonly_params, *function.params.params)]


def parameter(function: cst.FunctionDef, name: str) -> cst.Param | None:
    """Return a parameter of a function by name, a star's excepted."""
    every = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    return next((one for one in every if one.name.value == name), None)


def given(source: Source, function: cst.FunctionDef, name: str, call: cst.Call) -> cst.Arg | None:
    """Return the argument that a call gives for a parameter; ``None`` where the call leaves it to the default."""
    names = parameter_names(function)
    is_bound = bool(names) and isinstance(_home(source, function), cst.ClassDef) and not _is_static(function)
    position = names.index(name) - is_bound if name in names else None
    return argument(call, position, name)


def _is_static(function: cst.FunctionDef) -> bool:
    return any(dotted(one.decorator) == "staticmethod" for one in function.decorators)


def starred(call: cst.Call) -> list[cst.Arg]:
    """Return the arguments of a call that are unpacked by ``**``."""
    return [one for one in call.args if one.star == "**"]
