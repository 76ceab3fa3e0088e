"""``kazami lab backprop`` with files and targets; its terminal text is tested beside ``kazami lab gradcheck``."""

import json

import pytest
from click.testing import CliRunner

from kazami.cli.lab.backprop_command import command

MODULE = """
import torch, kazami
from torch import nn
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.randn(5, 3)
def training(loss=nn.functional.cross_entropy):
    torch.manual_seed(0)
    x, y = torch.randn(8, 3), torch.randint(2, (8,))
    return kazami.Training(model=lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1), loss=loss, batches=lambda: [(x, y)], steps=3)
def own_words():
    return training(lambda output, target: -output.log_softmax(1).gather(1, target[:, None]).mean())
def strange():
    return training(lambda output, target: output.abs().mean())
def attention():
    return nn.TransformerEncoderLayer(4, 1), torch.randn(2, 3, 4)
"""


@pytest.fixture
def call(tmp_path, monkeypatch):
    (tmp_path / "chains.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def called(*arguments):
        return CliRunner().invoke(command, [*arguments, "--lang", "en"])

    yield called
    __import__("sys").modules.pop("chains", None)


@pytest.mark.parametrize("ending", ["html", "svg", "png"])
def test_it_writes_a_file_and_says_where(call, tmp_path, ending):
    done = call("3-4-2", "-o", f"steps.{ending}")
    assert done.exit_code == 0
    assert done.output.splitlines()[0] == f"steps.{ending}"
    assert (tmp_path / f"steps.{ending}").stat().st_size > 10_000


def test_json_stays_one_document(call):
    done = call("2-2", "-o", "steps.svg", "--json")
    assert json.loads(done.stdout)["sizes"] == "2-2"
    assert done.stderr == "steps.svg\n"


def test_a_training_is_shown_with_its_own_loss_and_batch(call):
    known, own = (json.loads(call(f"chains:{name}", "--json", "--examples", "3").stdout) for name in ("training", "own_words"))
    assert known["loss_name"] == own["loss_name"] == "cross_entropy"
    assert known["loss"] == own["loss"]
    assert len(known["steps"][0]["value"]) == 3
    assert known["off_autograd"] < 1e-12


def test_a_model_alone_gets_targets(call):
    done = call("chains:model", "--json", "--loss", "mse")
    assert "random targets" in done.stderr
    assert json.loads(done.stdout)["activations"] == ["relu", "identity"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("chains:strange",), "neither mse nor cross_entropy"),
        (("chains:attention",), "kazami.gradcheck"),
        (("3-x",), "such as 3-4-2"),
        (("3-4-2", "-o", "steps.pdf"), ".html, .svg, .png"),
    ],
)
def test_what_cannot_be_shown_is_said(call, arguments, words):
    done = call(*arguments)
    assert done.exit_code != 0
    assert words in str(done.exception)
