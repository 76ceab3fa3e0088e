"""The door opens lazily, and every name on it leads somewhere."""

import ast
import subprocess
import sys

import pytest

import kazami
from tests.house.tree import SOURCE, parse

SAYS_WHAT_IS_LOADED = "import sys; loaded = sorted({'torch', 'numpy'} & set(sys.modules)); sys.exit(f'loaded: {loaded}' if loaded else 0)"


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a Python of its own, where nothing is imported yet."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_importing_kazami_loads_neither_torch_nor_numpy():
    done = run("import kazami; dir(kazami); " + SAYS_WHAT_IS_LOADED)
    assert done.returncode == 0, done.stderr


def test_loading_numpy_would_be_seen():
    done = run("import kazami, numpy; " + SAYS_WHAT_IS_LOADED)
    assert "loaded: ['numpy']" in done.stderr


@pytest.mark.parametrize("name", kazami.__all__)
def test_every_name_on_the_door_leads_somewhere(name):
    value = getattr(kazami, name)
    assert callable(value) or value.__path__  # a function, a class, or a room


def test_the_door_says_the_same_in_all_its_three_places():
    typed = {alias.name for node in ast.walk(parse(SOURCE / "__init__.py")) if isinstance(node, ast.ImportFrom) and node.level == 1 for alias in node.names}
    assert typed - {"lazy_door"} == set(kazami.__all__) == set(kazami._MODULE_OF)


def test_an_unknown_name_gets_the_closest_one():
    with pytest.raises(AttributeError, match=r"kazami has no 'diagnos'. Did you mean kazami.diagnose\?"):
        kazami.diagnos  # noqa: B018


@pytest.mark.parametrize("first", ["import kazami.watch", "kazami.watch", "from kazami import watch", "from kazami.watch import watch"])
def test_watch_is_a_room_and_a_function_whatever_comes_first(first):
    checks = "assert kazami.watch.__path__; assert callable(kazami.watch); from kazami import watch; assert callable(watch)"
    done = run(f"import kazami; {first}; import kazami.watch; {checks}")
    assert done.returncode == 0, done.stderr
