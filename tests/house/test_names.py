"""Law 4: no ``utils``, no ``Manager``, no ``Helper``. Law 11: the file ``dead_units.py`` holds the class ``DeadUnits``."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import PLUGIN_ROOMS, SOURCE, parse, plugin_files, python_files, shown

SHAPELESS_FILE = re.compile(r"^_?(utils?|utilities|helpers?|managers?|misc|common)$")
SHAPELESS_CLASS = re.compile(r"(Manager|Helper|Utils?|Utilities)$")


def shapeless_names(file: Path, root: Path) -> list[str]:
    """Complain about folders, files and classes whose name says nothing."""
    parts = [*file.relative_to(root).parent.parts, file.stem]
    complaints = [f"{shown(file)}: {part!r} says nothing about what is in it" for part in parts if SHAPELESS_FILE.match(part)]
    classes = [node.name for node in ast.walk(parse(file)) if isinstance(node, ast.ClassDef)]
    return complaints + [f"{shown(file)}: the class {name} says nothing about what it does" for name in classes if SHAPELESS_CLASS.search(name)]


def misnamed_plugin(file: Path) -> list[str]:
    """Complain if the plug-in ``file`` has no class of its own name."""
    expected = "".join(word.capitalize() for word in file.stem.split("_"))
    names = [node.name for node in parse(file).body if isinstance(node, ast.ClassDef)]
    is_there = any(name.casefold() == expected.casefold() for name in names)  # NanInf, NaNInf: how an acronym is written is free
    return [] if is_there else [f"{shown(file)} should hold the class {expected}, and holds {names}"]


def rooms_without_a_door(source: Path) -> list[str]:
    """Complain about each folder of code without ``__init__.py``: the stairs contract and the registry do not see such folders."""
    return sorted({shown(file.parent) for file in python_files(source) if not (file.parent / "__init__.py").is_file()})


def test_every_room_is_a_package():
    assert rooms_without_a_door(SOURCE) == []


def test_a_room_that_is_no_package_is_seen(tmp_path):
    for name in ("open/__init__.py", "open/a.py", "shut/a.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert rooms_without_a_door(tmp_path) == ["shut"]


@pytest.mark.parametrize("file", python_files(SOURCE), ids=shown)
def test_names_say_something(file):
    assert shapeless_names(file, SOURCE) == []


@pytest.mark.parametrize("room", [room for room in PLUGIN_ROOMS if room != "integrations"])  # each holds what its framework calls for: a callback, a function
def test_plugins_are_named_after_their_files(room):
    assert [complaint for file in plugin_files(room) for complaint in misnamed_plugin(file)] == []


def test_a_room_of_leftovers_is_seen(tmp_path):
    file = tmp_path / "utils" / "_helpers.py"
    file.parent.mkdir()
    file.write_text("class RunManager: ...\nclass Rule: ...\n")
    assert len(shapeless_names(file, tmp_path)) == 3


@pytest.mark.parametrize(("text", "n_complaints"), [("class DeadUnits: ...", 0), ("class Dead: ...", 1)])
def test_a_misnamed_plugin_is_seen(tmp_path, text, n_complaints):
    file = tmp_path / "dead_units.py"
    file.write_text(text)
    assert len(misnamed_plugin(file)) == n_complaints
