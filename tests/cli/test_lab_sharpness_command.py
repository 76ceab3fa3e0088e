"""``kazami lab sharpness``: what is printed, written and refused."""

import json
import sys

import pytest
import torch
from click.testing import CliRunner

from kazami.cli import kazami

FACTORIES = """
import kazami, torch
from torch import nn
torch.manual_seed(0)
X, Y = torch.randn(20, 3), torch.randn(20, 1)
def training():
    return kazami.Training(
        model=lambda: nn.Linear(3, 1, bias=False), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.5),
        loss=nn.functional.mse_loss, batches=lambda: [(X[:8], Y[:8]), (X[8:], Y[8:])], steps=12)
def adam():
    return training().replaced(optimizer=lambda m: torch.optim.Adam(m.parameters(), 0.01))
def model():
    return nn.Linear(3, 2)
"""
SCRIPT = """
import torch
from torch import nn
torch.manual_seed(0)
X, Y = torch.randn(64, 3), torch.randint(2, (64,))
model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
optimizer = torch.optim.SGD(model.parameters(), 0.05)
for step in range(8):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(X[8 * step : 8 * step + 8]), Y[8 * step : 8 * step + 8])
    loss.backward()
    optimizer.step()
print("the script's own line")
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with factories and a script."""
    (tmp_path / "sharp_factories.py").write_text(FACTORIES)
    (tmp_path / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("sharp_factories", None)


def lab(*words):
    """Run ``kazami lab sharpness …`` and return how it ended."""
    return CliRunner().invoke(kazami, ["lab", "sharpness", *words], standalone_mode=False)


def exact():
    """Return the eigenvalues of 2 X'X / n."""
    torch.manual_seed(0)
    inputs = torch.randn(20, 3).double()
    return torch.linalg.eigvalsh(2 * inputs.T @ inputs / 20).flip(0).tolist()


def test_json_holds_the_closed_form(place):
    ended = lab("sharp_factories:training", "-k", "3", "--json")
    assert ended.exception is None, ended.exception
    found = json.loads(ended.stdout)
    assert found["schema"] == 1
    assert found["sharpness"]["value"] == pytest.approx(exact())
    assert found["sharpness"]["details"]["threshold"] == 4.0


def test_the_table_the_figure_and_the_words(place):
    ended = lab("sharp_factories:training", "-k", "2", "--density", "density.svg")
    assert ended.exception is None, ended.exception
    lines = ended.stdout.splitlines()
    assert lines[1].split()[:2] == ["λ1", f"{exact()[0]:.2f}"]
    assert lines[3].split() == ["threshold", "(SGD)", "4"]
    assert "flat directions 0 ± 0 of 3" in ended.stdout
    assert lines[-1] == "density.svg"
    drawn = (place / "density.svg").read_text(encoding="utf-8")
    assert "of 3 directions are flat" in drawn
    assert "threshold" in drawn


def test_japanese(place):
    ended = lab("sharp_factories:adam", "--lang", "ja", "--density", "density.svg")
    assert ended.exception is None, ended.exception
    assert "安定限界 (Adam)" in ended.stdout
    assert "適応的最適化" in ended.stdout
    assert "固有値" in (place / "density.svg").read_text(encoding="utf-8")


def test_a_script(place):
    ended = lab("train.py", "--json")
    assert ended.exception is None, ended.exception
    found = json.loads(ended.stdout)["sharpness"]
    assert found["details"]["threshold"] == pytest.approx(40.0)
    assert len(found["local"]) == 8
    assert any("training mode" in text for text in found["conditions"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sharp_factories:model"], "gives no training"),
        (["--density", "x.bmp", "sharp_factories:training"], "should end in"),
        (["-k", "4", "sharp_factories:training"], "between 1 and"),
        ([], "Name a script"),
    ],
)
def test_what_cannot_work_is_said(place, words, message):
    assert message in str(lab(*words).exception)
