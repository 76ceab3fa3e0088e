"""Our frames vanish from the top and the middle of tracebacks, in causes, contexts and groups; the others stay."""

import subprocess
import sys
import traceback
from pathlib import Path

import pytest

import kazami
from kazami.watch.traceback import exit_code_of, hide_own_frames, one_line, show

ROOM = Path(kazami.__file__).parent / "watch"


def a_hook(function):
    """Return a function that calls ``function`` from a file of kazami's."""
    names = {"function": function}
    exec(compile("def hook(*words):\n    return function(*words)\n", str(ROOM / "a_hook.py"), "exec"), names)
    return names["hook"]


def fail(text="x"):
    raise ValueError(text)


def caught(function):
    """Return what ``function`` raises."""
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def frames(error):
    """Return the names of the functions in the traceback of ``error``."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_frames_go_at_the_top_in_the_middle_and_at_the_end():
    def middle():
        a_hook(a_hook(fail))()

    error = caught(a_hook(middle))
    assert frames(error) == ["caught", "hook", "middle", "hook", "hook", "fail"]
    hide_own_frames(error)
    assert frames(error) == ["caught", "middle", "fail"]
    hide_own_frames(error)
    assert frames(error) == ["caught", "middle", "fail"]


def test_a_traceback_of_ours_alone_vanishes():
    error = caught(a_hook(fail))
    error.__traceback__ = error.__traceback__.tb_next
    error.__traceback__.tb_next = None
    hide_own_frames(error)
    assert error.__traceback__ is None


def test_causes_contexts_and_groups_too():
    def chain():
        try:
            a_hook(fail)()
        except ValueError as error:
            raise ExceptionGroup("several", [caught(a_hook(fail)), KeyError("x")]) from error

    error = caught(chain)
    error.__cause__.__context__ = error  # a circle must not hang
    hide_own_frames(error)
    assert frames(error.__cause__) == ["chain", "fail"]
    assert frames(error.exceptions[0]) == ["caught", "fail"]


def test_frames_of_other_rooms_stay():
    error = caught(lambda: kazami.no_such_name)
    hide_own_frames(error)
    assert str(Path(kazami.__file__).parent) in "".join(traceback.format_tb(error.__traceback__))


def test_debugging_shows_everything():
    code = "from tests.watch.test_traceback import *; e = caught(a_hook(fail)); hide_own_frames(e); print(frames(e))"
    environment = {"KAZAMI_DEBUG": "1", "PYTHONPATH": f"{ROOM.parents[1]}:{Path(__file__).parents[2]}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "['caught', 'hook', 'fail']\n"


def test_the_users_hook_gets_the_clean_traceback(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, tb: seen.append((kind, frames(error), tb is error.__traceback__)))
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        monkeypatch.setattr(sys, name, None, raising=False)
    assert show(caught(a_hook(fail))) is None
    assert seen == [(ValueError, ["caught", "fail"], True)]


@pytest.mark.parametrize(
    ("code", "number", "said"), [(None, 0, ""), (True, 1, ""), (256 + 3, 3, ""), (-1, 255, ""), (2**80, 255, ""), ("x", 1, "x\n"), ("", 1, "\n")]
)
def test_exit_codes(code, number, said, capsys):
    assert exit_code_of(SystemExit(code)) == number
    assert capsys.readouterr().err == said


def test_a_text_that_fails_is_left_out():
    class Silent(Exception):
        def __str__(self):
            return 1 / 0

    assert one_line(Silent()).endswith("Silent")
