"""The command: table, page, own function, picture, JSON; in both languages, and with wrong words."""

import json

import pytest

from kazami import cli

OWN = """
import torch
from torch import nn

def leaky(x):
    return torch.where(x > 0, x, 0.3 * x)

def factory():
    return nn.Softplus(2)

class Wave(nn.Module):
    def forward(self, x):
        return torch.sin(x)

ready = nn.Softmax(-1)

def broken():
    return 1 / 0

def quotient(x):
    return x / (1 // 0)

number = 3
"""


def call(*words: str) -> int:
    """Run ``kazami nets activations`` with ``words``, and return its exit code."""
    with pytest.raises(SystemExit) as leaving:
        cli.main(["nets", "activations", *words])
    return leaving.value.code


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of the user's in the working directory, under a name of its own per test."""
    name = f"own_{abs(hash(tmp_path)) % 10**8}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_the_table_has_a_row_for_each_and_softmax_of_seven_states(capsys):
    assert call("--lang", "en") == 0
    out = capsys.readouterr().out
    assert "gelu_tanh" in out
    assert "1.4142" in out
    assert "0.0236 0.0643 0.1747 0.4748 0.0236 0.0643 0.1747" in out


def test_the_page_of_one_in_both_languages(capsys):
    assert call("swish", "--lang", "en") == 0
    english = capsys.readouterr().out
    assert "1.09983932" in english
    assert "advantage: Smooth" in english
    assert call("swish", "--lang", "ja") == 0
    assert "値域" in capsys.readouterr().out


def test_the_page_says_why_pytorchs_gain_differs(capsys):
    assert call("tanh", "--lang", "en") == 0
    assert "convention" in capsys.readouterr().out


@pytest.mark.parametrize(("function", "said"), [("leaky", "leaky_relu(x; negative_slope=0.3)"), ("factory", "softplus(x; beta=2)"), ("ready", "softmax(x)")])
def test_own_functions_modules_and_factories_are_recognised(own, capsys, function, said):
    assert call(f"{own}:{function}", "--lang", "en") == 0
    assert f"This is {said}." in capsys.readouterr().out


def test_an_own_function_that_nobody_knows_is_measured(own, capsys):
    assert call(f"{own}:Wave", "--lang", "en") == 0
    out = capsys.readouterr().out
    assert "None of the catalogue" in out
    assert "[−1, 1]" in out


@pytest.mark.parametrize(("words", "key"), [(["relu"], "activation"), (["OWN:leaky"], "recognition")])
def test_json_is_one_document_and_nothing_else(own, capsys, words, key):
    assert call(*[word.replace("OWN", own) for word in words], "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert set(document) == {"schema", key}


def test_json_alone_means_stdout_wherever_it_stands(capsys):
    for words in (["relu", "--json"], ["relu", "--json", "--lang", "en"]):
        assert call(*words) == 0
        assert json.loads(capsys.readouterr().out)["activation"]["name"] == "relu"


def test_json_goes_into_a_file_beside_the_page(tmp_path, capsys):
    place = tmp_path / "relu.json"
    assert call("relu", "--json", str(place), "--lang", "en") == 0
    assert json.loads(place.read_text())["activation"]["name"] == "relu"
    assert "advantage" in capsys.readouterr().out


def test_a_picture_is_written_and_its_place_said_on_stderr(tmp_path, capsys):
    place = tmp_path / "gelu.svg"
    assert call("gelu", "--plot", str(place)) == 0
    assert place.read_text().count("<svg") == 1
    assert str(place) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["geluu"], 'Did you mean "gelu"?'),
        (["--plot", "x.txt"], "should end in .png"),
        (["no_such_module:f"], "There is no module 'no_such_module'"),
        (["OWN:nothing"], "has no 'nothing'"),
        (["OWN:number"], "should be something that can be called"),
        (["OWN:broken"], "was called without arguments, and raised ZeroDivisionError"),
        (["OWN:quotient"], "The function cannot be called with a table of numbers"),
        (["OWN:leaky", "--plot", "x.png"], "Leave out --plot"),
    ],
)
def test_wrong_words_get_a_sentence_and_exit_code_2(own, capsys, words, said):
    assert call(*[word.replace("OWN", own) for word in words]) == 2
    assert said in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_exit_code_1(tmp_path, capsys):
    assert call("relu", "--json", str(tmp_path / "no" / "such" / "relu.json")) == 1
    assert "cannot be written" in capsys.readouterr().err
