"""``kazami lab gradcheck``: verdict, table, counted passes, exit codes; and the two other commands on derivatives."""

import json
import re

import pytest

from kazami.cli import main

MODULE = """
import torch
from torch import nn
import kazami

class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()
    @staticmethod
    def backward(ctx, grad):
        return FACTOR * grad

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 5), nn.Linear(5, 3)
    def forward(self, x):
        print("a model that talks")
        return self.last(Doubled.apply(torch.tanh(self.first(x))))

def training():
    return kazami.Training(model=Net, optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1), loss=nn.functional.cross_entropy,
                           batches=lambda: [(torch.randn(6, 4), torch.arange(6) % 3)], steps=3)

def bare():
    return Net()
"""


@pytest.fixture
def call(tmp_path, monkeypatch, capfd):
    """Return a function that calls kazami in a folder with modules ``wrong`` and ``right``: (exit code, stdout, stderr)."""
    for name, factor in (("planted_wrong", 2), ("planted_right", 1)):
        (tmp_path / f"{name}.py").write_text(MODULE.replace("FACTOR", str(factor)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def calling(*words):
        with pytest.raises(SystemExit) as leaving:
            main(list(words))
        out, err = capfd.readouterr()
        return leaving.value.code, out, err

    return calling


def test_a_wrong_gradient_is_named_and_ends_with_3(call):
    code, out, err = call("lab", "gradcheck", "--budget", "3s", "--lang", "en", "planted_wrong:training")
    assert code == 3
    assert 'The gradient of "first.bias" is wrong' in out
    assert "2 times the numeric derivative" in out
    assert "last.weight   3×5    agrees" in out
    assert re.search(r"backprop +2 +2 ", out)
    assert re.search(r"forward differences +44 +44 ", out)  # 4·5 + 5 + 5·3 + 3 weights and one
    assert "a model that talks" not in out
    assert "a model that talks" in err


def test_a_right_gradient_ends_with_0_in_japanese_too(call):
    code, out, _ = call("lab", "gradcheck", "--budget", "3s", "--lang", "ja", "planted_right:training")
    assert code == 0
    assert "数値微分と一致します" in out
    assert re.search(r"前進差分 +44 +44 ", out)


def test_json_is_one_document(call):
    code, out, _ = call("lab", "gradcheck", "--budget", "3s", "--json", "planted_wrong:training")
    document = json.loads(out)
    assert code == 3
    assert document["schema"] == 1
    assert document["gradcheck"]["parameter"] == "first.bias"
    assert [method["passes"] for method in document["numeric"]["methods"][:2]] == [44, 86]
    assert document["numeric"]["backprop"]["passes"] == 2


def test_without_a_loss_the_weighted_output_stands_for_it(call):
    code, out, err = call("lab", "gradcheck", "--budget", "3s", "--lang", "en", "--input", "6,4", "planted_right:bare")
    assert code == 0
    assert "no loss is known" in err
    assert "agrees" in out


def test_the_figure_is_written(call, tmp_path):
    assert call("lab", "gradcheck", "--budget", "3s", "-o", "cost.svg", "planted_right:training")[0] == 0
    assert "<svg" in (tmp_path / "cost.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words", [("--budget", "soon", "planted_right:training"), ("planted_right:nothing",), ("--tolerance", "2", "planted_right:training"), ()]
)
def test_bad_words_end_with_2(call, words):
    assert call("lab", "gradcheck", *words)[0] == 2


def test_backprop_is_shown_step_by_step(call):
    code, out, _ = call("lab", "backprop", "3-4-2", "--lang", "en")
    assert code == 0
    assert "δ1 = (δ2 W2ᵀ) ⊙ φ'(Z1)" in out
    assert "from torch's autograd" in out
    document = json.loads(call("lab", "backprop", "2-2", "--loss", "mse", "--json")[1])
    assert document["off_autograd"] < 1e-12
    assert document["steps"][0]["name"] == "A_0"
    assert call("lab", "backprop", "3-x")[0] == 2
    assert call("lab", "backprop", "--activation", "tahn", "3-3-2")[0] == 2


def test_a_formula_is_fitted(call, tmp_path):
    code, out, _ = call("lab", "fit", "sin(x)", "--widths", "1,4", "--steps", "50", "--seeds", "1", "-o", "fit.svg", "--lang", "en")
    assert code == 0
    assert "held-out points" in out
    assert (tmp_path / "fit.svg").exists()
    assert json.loads(call("lab", "fit", "x", "--widths", "2", "--steps", "20", "--json")[1])["schema"] == 1
    for words in (("open('x')",), ("log(x)",), ("x", "--widths", "0")):
        assert call("lab", "fit", *words)[0] == 2
