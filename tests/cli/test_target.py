"""What the commands that look at a model share: what is named, what is printed where, and what is refused."""

import click
import pytest

from kazami.cli._target import loaded
from kazami.errors import UsageError

FACTORY = "import torch\ndef make():\n    print('made')\n    return torch.nn.Linear(3, 2)\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a factory in it, as working directory."""
    (tmp_path / "my_factory_module.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_what_the_factory_prints_goes_to_stderr(place, capfd):
    target = loaded(("my_factory_module:make",), None, "4,3")
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "made\n")
    assert target.example[0].shape == (4, 3)


@pytest.mark.parametrize("text", ["a,b", "0,3", "", "-1"])
def test_a_shape_that_is_none_is_refused(place, text):
    with pytest.raises(UsageError, match="--input should be sizes such as 1,3,32,32"):
        loaded(("my_factory_module:make",), None, text)


def test_nothing_named_is_a_mistake_in_usage():
    with click.Context(click.Command("graph")), pytest.raises(click.UsageError, match="Name a script"):
        loaded((), None, None)


@pytest.mark.parametrize("name", ["missing.py", "no/folder/train.py"])
def test_a_script_that_is_not_there_is_said_once_and_nothing_is_started(place, capfd, name):
    with pytest.raises(UsageError, match=f"There is no script '{name}'. Name a script, a module with -m, or module:function"):
        loaded((name,), None, None)
    assert capfd.readouterr().err == ""


def test_a_directory_is_no_script_unless_python_could_run_it(place):
    (place / "folder").mkdir()
    with pytest.raises(UsageError, match=r"folder is a directory without a __main__\.py"):
        loaded(("folder",), None, None)
