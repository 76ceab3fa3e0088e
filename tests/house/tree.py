"""What the laws look at: the files of the house, read as text or as syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "kazami"
CODE_FOLDERS = ("src", "tests", "tools", "benchmarks", "examples")

# Rooms in which every file without a leading underscore is one plug-in, each with a test file of its own.
PLUGIN_ROOMS = (
    "diagnosis",
    "cures",
    "watch/observables",
    "nets/activations",
    "lab/experiments",
    "edits",
    "maps/optimizers",
    "maps/toys",
    "engines",
    "integrations",
    "sinks",
    "sweeps/recorded",
)
DRY_ROOMS = ("errors", "files", "doors", "registry", "records", "signals", "diagnosis", "storage", "reports", "comparison", "edits", "kernels")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(folder: Path) -> list[Path]:
    """Return all Python files under ``folder``, sorted; none if it does not exist."""
    return sorted(folder.rglob("*.py"))


def all_code() -> list[Path]:
    """Return every Python file that we write by hand."""
    return [file for name in CODE_FOLDERS for file in python_files(ROOT / name)]


def plugin_files(room: str, source: Path = SOURCE) -> list[Path]:
    """Return the plug-in files of ``room``; none if the room is not built yet."""
    return [file for file in sorted((source / room).glob("*.py")) if not file.name.startswith("_")]


def tracked_files() -> list[Path]:
    """Return the files that git tracks or would track; every file of the code folders where there is no git (an unpacked sdist)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return [file for file in all_code() if file.is_file()]
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def parse(file: Path) -> ast.Module:
    """Return the syntax tree of ``file``."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method in ``tree``, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def shown(file: Path) -> str:
    """Return the path of ``file`` as a person would write it."""
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else file.name
