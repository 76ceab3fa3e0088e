"""Which words are kazami's and which are the script's, and how a run ends the process."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import kazami.watch
from kazami import cli
from kazami.watch.options import RunOptions
from kazami.watch.script import ScriptEnd
from tests.pages import PATIENCE


class Session(ModuleType):
    """Stands in for ``kazami.watch.session``: remembers what it was asked for, and returns ``ending``."""

    def __init__(self) -> None:
        """Ask for nothing yet; end with exit code 0."""
        super().__init__("kazami.watch.session")
        self.asked: Any = None
        self.ending: object = 0

    def run(self, target, arguments, *, as_module, options, at_location=None):
        """Remember everything."""
        del at_location
        self.asked = (target, arguments, as_module, options)
        return self.ending


@pytest.fixture
def session(monkeypatch):
    stand_in = Session()
    monkeypatch.setitem(sys.modules, "kazami.watch.session", stand_in)
    monkeypatch.delenv("KAZAMI_RUN", raising=False)
    return stand_in


def call(*words: str) -> int:
    """Run ``kazami`` with ``words``, and return its exit code."""
    with pytest.raises(SystemExit) as leaving:
        cli.main(list(words))
    return leaving.value.code


SPLITS = {
    "train.py": ("train.py", [], False),
    "train.py --lr 0.1 -m x --quiet --help": ("train.py", ["--lr", "0.1", "-m", "x", "--quiet", "--help"], False),
    "train.py -- -- x": ("train.py", ["--", "--", "x"], False),
    "-- train.py --lr": ("train.py", ["--lr"], False),
    "-- -odd.py": ("-odd.py", [], False),
    "- a": ("-", ["a"], False),
    "-m package.module": ("package.module", [], True),
    "-m package.module --lr 0.1 -m x --run y --help": ("package.module", ["--lr", "0.1", "-m", "x", "--run", "y", "--help"], True),
    "-m package.module -- x": ("package.module", ["--", "x"], True),
    "-mpackage.module --quiet": ("package.module", ["--quiet"], True),
}


@pytest.mark.parametrize("line", SPLITS)
@pytest.mark.parametrize("before", ["", "--lang ja", "--run=out --json -"])
@pytest.mark.parametrize("name", ["run", "check"])
def test_words_after_the_script_belong_to_it(session, name, before, line):
    assert call(name, *before.split(), *line.split()) == 0
    assert session.asked[:3] == SPLITS[line]


def test_every_option_arrives(session):
    call("run", *["--run", "-m", "--max-steps", "7", "--every", "3", "--json", "-", "--fail-on", "error", "--quiet", "--lang", "ja", "train.py"])
    assert session.asked[3] == RunOptions(run="-m", max_steps=7, every=3, json="-", fail_on="error", quiet=True, lang="ja")


def test_without_options_nothing_is_asked_for(session):
    call("run", "train.py")
    assert session.asked[3] == RunOptions()
    call("check", "train.py")
    assert session.asked[3] == RunOptions(check=True)


def test_the_environment_names_the_run_directory(session, monkeypatch):
    monkeypatch.setenv("KAZAMI_RUN", "there")
    call("run", "train.py")
    assert session.asked[3].run == "there"
    call("run", "--run", "here", "train.py")
    assert session.asked[3].run == "here"


@pytest.mark.parametrize(
    "line",
    ["run", "check", "run -m", "run --quiet", "run --every 0 x.py", "run --lang de x.py", "run --fail-on x y.py", "run --json= x.py", "run --nonsense x.py"],
)
def test_what_cannot_be_meant_is_a_usage_error(session, line, capsys):
    assert call(*line.split()) == 2
    assert session.asked is None
    assert capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--sarif"])
def test_a_document_needs_a_folder_before_the_script_begins(session, option, tmp_path, capsys):
    assert call("run", option, f"{tmp_path}/none/x.json", "train.py") == 2
    assert session.asked is None
    assert f"there is no folder {tmp_path}/none. Make it, or name another place." in " ".join(capsys.readouterr().err.split())
    assert call("check", option, f"{tmp_path}/x.json", "train.py") == 0


@pytest.mark.parametrize(("ending", "exit_code"), [(0, 0), (3, 3), (ScriptEnd(7, "exit"), 7), (ScriptEnd(0, "finished"), 0)])
def test_the_exit_code_is_the_scripts(session, ending, exit_code):
    session.ending = ending
    assert call("run", "train.py") == exit_code


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_an_interrupted_script_kills_kazami_as_it_would_kill_python(tmp_path):
    (tmp_path / "train.py").write_text("raise KeyboardInterrupt")
    stand_in = """
import sys, types
from kazami import cli
from kazami.watch.script import run_script
def run(target, arguments, *, as_module, options, at_location=None):
    return run_script(target, arguments, as_module=as_module, before=int, after=lambda end: None)
sys.modules["kazami.watch.session"] = types.SimpleNamespace(run=run)
cli.main()
"""
    (tmp_path / "kazami_in_place.py").write_text(stand_in)
    environment = {**os.environ, "PYTHONPATH": str(Path(kazami.watch.__file__).parents[2])}
    started = ([sys.executable, *words, "train.py"] for words in (["kazami_in_place.py", "run"], []))
    watched, plain = (subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, check=False) for words in started)
    assert (watched.returncode, watched.stdout, watched.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert watched.returncode == -signal.SIGINT


def test_the_room_is_there():
    assert kazami.watch.__path__


@pytest.mark.parametrize(("word", "is_told"), [("--json", True), ("--colour", False)])
def test_an_option_of_ours_behind_a_script_that_does_not_know_it_is_told(tmp_path, word, is_told):
    (tmp_path / "train.py").write_text("import argparse\nargparse.ArgumentParser().parse_args()\n")
    command = [sys.executable, "-m", "kazami", "run", "--run", "r", "--lang", "en", "train.py", word, "-"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 2
    assert ("--json stands behind train.py" in ended.stderr) is is_told
