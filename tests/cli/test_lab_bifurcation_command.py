"""``kazami lab bifurcation``: toy maps by name, trainings, refusals."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from kazami.cli import kazami

FACTORY = """
import kazami, torch
from torch import nn
ONE = torch.ones(1, dtype=torch.float64)
class Square(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.345, dtype=torch.float64))
    def forward(self, x):
        return self.w * self.w * x
def training():
    return kazami.Training(model=Square, optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),
        loss=lambda z, y: ((z - y) ** 2).mean() / 4, batches=lambda: [(ONE, ONE)], steps=100)
"""


def run(*words):
    return CliRunner().invoke(kazami, ["lab", "bifurcation", *words])


def test_a_toy_map_by_name(tmp_path):
    places = {name: str(tmp_path / f"d.{name}") for name in ("png", "npz", "json")}
    words = ["logistic", "--parameter", "r=2.9:3.6", "--members", "200", "-o", places["png"], "--data", places["npz"], "--json", places["json"], "--lang", "en"]
    ended = run(*words)
    assert ended.exit_code == 0, ended.output
    told = json.loads((tmp_path / "d.json").read_text())
    doublings = [point["estimate"] for point in told["points"] if point["kind"] == "doubling"][:2]
    assert doublings == pytest.approx([3.0, 1 + 6**0.5], abs=1e-4)
    assert "the period doubles" in ended.output
    with np.load(places["npz"]) as held:
        assert held["observed"].shape == (200, 240)
        assert held["local"].shape == (200, 240)
    assert told["n_points"] == 48_000


def test_a_training_by_its_factory(tmp_path, monkeypatch):
    (tmp_path / "bent.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    words = ["--lr", "0.8:1.2", "--members", "24", "--observe", "0", "--transient", "400", "--keep", "60", "--json", "-"]
    told = json.loads(run("bent:training", *words).stdout)
    assert told["points"][0]["kind"] == "doubling"
    assert told["points"][0]["estimate"] == pytest.approx(1.0, abs=0.01)
    assert told["observable"] == "coordinate 0"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["logistik", "--parameter", "r=1:2"], "logistic"),
        (["logistic", "--parameter", "s=1:2"], '"s"'),
        (["logistic"], "--lr"),
        (["logistic", "--lr", "1:2", "--parameter", "r=1:2"], "either"),
        (["logistic", "--parameter", "r=2:1"], "larger"),
        (["logistic", "--parameter", "r=2"], "LOW:HIGH"),
        (["logistic", "--parameter", "r=2:3", "-o", "d.gif"], ".png"),
        (["logistic", "--parameter", "r=2:3", "--observe", "loss"], "no loss"),
    ],
)
def test_refusals(words, text):
    ended = run(*words)
    assert ended.exit_code != 0
    assert text in str(ended.exception) + ended.output
