"""Law 3: dry rooms never load torch, checked by importing every module of each in a Python of its own."""

import subprocess
import sys

import pytest

from tests.house.tree import DRY_ROOMS, SOURCE, python_files

# The blocker makes the import itself fail, so that the traceback shows who asked for torch.
IMPORT_ALL = """
import importlib, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name == "torch" or name.startswith("torch."):
            raise AssertionError(f"a dry room loaded {name}")
sys.meta_path.insert(0, Blocker())
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def modules_of(room: str) -> list[str]:
    """Return the full names of all modules of ``room``; none if it is not built yet."""
    files = [SOURCE / f"{room}.py"] if (SOURCE / f"{room}.py").is_file() else python_files(SOURCE / room)
    names = [".".join(file.relative_to(SOURCE.parent).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names]


def import_all(names: list[str]) -> subprocess.CompletedProcess[str]:
    """Import the modules ``names`` where torch cannot be imported."""
    return subprocess.run([sys.executable, "-c", IMPORT_ALL, *names], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("room", DRY_ROOMS)
def test_dry_rooms_do_not_load_torch(room):
    done = import_all(modules_of(room))
    assert done.returncode == 0, done.stderr


def test_a_wet_module_is_seen():
    assert "a dry room loaded torch" in import_all(["kazami.errors", "torch"]).stderr


def test_the_rooms_are_found():
    assert modules_of("errors") == ["kazami.errors"]
