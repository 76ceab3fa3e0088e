"""Every command that a panel names exists today."""

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from kazami.cli import kazami
from kazami.tour import panels

FILES = sorted(Path(panels.__path__[0]).glob("[!_]*.py"))


def commands_in(file):
    """Return the first argument of each ``Deeper(…)`` in a file."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [call.args[0].value for call in calls if getattr(call.func, "id", "") == "Deeper"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_named_commands_exist(file):
    found = commands_in(file)
    assert found
    for command in found:
        words = command.split()
        if words[0] != "kazami":
            assert words[0] == "python"
            continue
        names = [word for word in words[1:] if re.fullmatch(r"[a-z]+", word)]
        is_group = names[0] in ("nets", "lab")
        answer = CliRunner().invoke(kazami, [*names[: 2 if is_group else 1], "--help"])
        assert answer.exit_code == 0, (command, answer.output)


def test_named_experiments_exist():
    names = {
        word
        for file in FILES
        for command in commands_in(file)
        for word in command.removeprefix("kazami lab run ").split()
        if command.startswith("kazami lab run") and not word.startswith("--")
    }
    from kazami.lab.experiments import _base

    folder = Path(_base.__file__).parent
    assert names
    assert all((folder / f"{name.replace('-', '_')}.py").is_file() for name in names)
