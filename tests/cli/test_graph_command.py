"""kazami graph: the formats, where they go, and bad input."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from kazami.cli.graph_command import command
from kazami.errors import UsageError

FACTORY = """
import torch
from torch import nn
def net():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.ones(5, 3)
def bare():
    return nn.Linear(3, 4)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "graphed_nets.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("graphed_nets", None)


def run(*words):
    return CliRunner().invoke(command, list(words))


@pytest.mark.parametrize(("form", "start"), [("svg", "<svg"), ("mermaid", "flowchart TD"), ("dot", "digraph"), ("json", '{"schema": 1')])
def test_formats_go_to_stdout_and_the_summary_to_stderr(place, form, start):
    done = run("--format", form, "--lang", "en", "graphed_nets:net")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(start)
    assert done.stderr.startswith("captured by torch.export: 26 parameters, 5 operations in 2 blocks")


@pytest.mark.parametrize("ending", ["svg", "png", "mmd", "dot", "json"])
def test_the_ending_chooses_the_format(place, ending):
    done = run("-o", f"net.{ending}", "graphed_nets:net")
    assert done.stdout == f"net.{ending}\n"
    assert (place / f"net.{ending}").stat().st_size > 100


def test_json_is_one_document_and_nothing_else(place):
    assert json.loads(run("--json", "graphed_nets:net").stdout)["parameters"] == 26


def test_japanese(place):
    assert "torch.export で取得" in run("--lang", "ja", "graphed_nets:net").stderr


def test_open_and_shape(place):
    assert run("--open", "--no-fold", "--format", "dot", "--input", "7,3", "graphed_nets:bare").stdout.count('label="·"') == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "png", "graphed_nets:net"], "A PNG needs a file"),
        (["-o", "net.bmp", "graphed_nets:net"], "FILE should end in"),
        (["graphed_nets:bare"], "no example of its input"),
        (["graphed_nets:nothing"], "has no 'nothing'"),
    ],
)
def test_bad_input_is_said_in_one_sentence(place, words, message):
    error = run(*words).exception
    assert isinstance(error, UsageError)
    assert message in str(error)


def test_help_loads_no_torch():
    code = "import sys, atexit; from kazami.cli import main; atexit.register(lambda: print('torch' in sys.modules)); main(['graph', '--help'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.endswith("False\n"), done.stderr
