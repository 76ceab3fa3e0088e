"""Laws 13 and 17: everything public has a docstring and annotations."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import SOURCE, Function, parse, python_files, shown


def undescribed(file: Path) -> list[str]:
    """Complain about the public things in ``file`` without a docstring, the file itself included."""
    tree = parse(file)
    complaints = [] if ast.get_docstring(tree) or not tree.body else [f"{shown(file)} has no docstring"]
    return complaints + [f"{shown(file)}:{node.lineno} {name} has no docstring" for name, node in public(tree) if not ast.get_docstring(node)]


def unannotated(file: Path) -> list[str]:
    """Complain about the arguments and results of public functions in ``file`` without an annotation."""
    complaints = []
    for name, node in public(parse(file)):
        if isinstance(node, Function):
            complaints += [f"{shown(file)}:{node.lineno} {name}: no annotation for {what}" for what in _bare_parts(node)]
    return complaints


def public(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Yield the public functions and classes of a module, and the public methods of its public classes, with their names."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not _is_only_a_type(node):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node, f"{prefix}{node.name}.")


def _is_only_a_type(node: Function | ast.ClassDef) -> bool:
    """Tell overloads and setters apart: the function that they belong to has the docstring."""
    names = {getattr(decorator, "id", getattr(decorator, "attr", None)) for decorator in node.decorator_list}
    return bool(names & {"overload", "setter"})


def _bare_parts(function: Function) -> Iterator[str]:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    rest = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    yield from (argument.arg for argument in [*named, *rest] if argument.annotation is None and argument.arg not in ("self", "cls"))
    if function.returns is None:
        yield "the result"


@pytest.mark.parametrize("file", python_files(SOURCE), ids=shown)
def test_everything_public_is_described_and_annotated(file):
    assert undescribed(file) + unannotated(file) == []


def test_what_is_missing_is_seen(tmp_path):
    file = tmp_path / "silent.py"
    file.write_text("def speak(word, *words: str): ...\ndef _mumble(word): ...\nclass Rule:\n    def examine(self): ...\n")
    assert undescribed(file) == [
        "silent.py has no docstring",
        "silent.py:1 speak has no docstring",
        "silent.py:3 Rule has no docstring",
        "silent.py:4 Rule.examine has no docstring",
    ]
    assert unannotated(file) == [
        "silent.py:1 speak: no annotation for word",
        "silent.py:1 speak: no annotation for the result",
        "silent.py:4 Rule.examine: no annotation for the result",
    ]
