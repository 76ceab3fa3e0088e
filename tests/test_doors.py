import inspect
import os
import subprocess
import sys

import pytest

HOUSE = "from kazami.doors import lazy_door\n__getattr__ = lazy_door(__name__, {'gaze': '.gaze', 'word': '.gaze.session'})\n"
ROOM = "from kazami.doors import lazy_door, make_callable\n__getattr__ = lazy_door(__name__, {'gaze': '.session'})\nmake_callable(__name__)\n"
SESSION = "word = 'breeze'\ndef gaze(model, *, every: int = 1):\n    return model, every\n"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Return a package whose room ``gaze`` is also a function, as ``kazami.watch`` is; nothing of it is imported but the package itself."""
    name = f"house_{tmp_path.name}"
    (tmp_path / name / "gaze").mkdir(parents=True)
    (tmp_path / name / "__init__.py").write_text(HOUSE)
    (tmp_path / name / "gaze" / "__init__.py").write_text(ROOM)
    (tmp_path / name / "gaze" / "session.py").write_text(SESSION)
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__(name)
    for module in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[module]


def test_a_door_opens_on_first_use(house):
    assert f"{house.__name__}.gaze" not in sys.modules
    assert house.word == "breeze"
    assert vars(house)["word"] == "breeze"


def test_an_unknown_name_gets_the_closest_one(house):
    with pytest.raises(AttributeError, match=rf"{house.__name__} has no 'words'. Did you mean {house.__name__}.word\?"):
        house.words  # noqa: B018


def test_hasattr_and_from_import_fail_as_they_should(house):
    assert not hasattr(house, "teapot")
    with pytest.raises(ImportError, match="teapot"):
        exec(f"from {house.__name__} import teapot")


def test_a_room_can_be_called_before_and_after_its_submodule_is_imported(house):
    assert house.gaze("model") == ("model", 1)
    __import__(f"{house.__name__}.gaze.session")
    assert house.gaze("model", every=3) == ("model", 3)


def test_it_is_still_a_room(house):
    __import__(f"{house.__name__}.gaze.session")
    assert house.gaze.session.word == "breeze"
    assert inspect.ismodule(house.gaze)


def test_it_shows_the_arguments_of_the_function(house):
    assert str(inspect.signature(house.gaze)) == "(model, *, every: int = 1)"


def test_it_stays_shut_until_it_is_called(house):
    code = f"import {house.__name__}.gaze as gaze, sys; assert callable(gaze); sys.exit('{house.__name__}.gaze.session' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False).returncode == 0
