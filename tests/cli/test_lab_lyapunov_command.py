"""``kazami lab lyapunov``: Ctrl-C in the middle keeps the estimate."""

import json
import sys

import pytest
from click.testing import CliRunner

from kazami.cli import kazami
from kazami.maps import TrainingMap

FACTORY = """
import kazami, torch
from torch import nn
def training():
    return kazami.Training(
        model=lambda: nn.Linear(2, 1, bias=False), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.25),
        loss=nn.functional.mse_loss, batches=lambda: [(torch.eye(2), torch.zeros(2, 1))], steps=12)
"""


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """A training whose tangent steps are interrupted once 100 were taken: 30 that align, and 70 that count."""
    (tmp_path / "growing_factories.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    taken = TrainingMap.advance_tangents
    count = 0

    def counted(self, state, vectors, time):
        nonlocal count
        count += 1
        if count > 100:
            raise KeyboardInterrupt
        return taken(self, state, vectors, time)

    monkeypatch.setattr(TrainingMap, "advance_tangents", counted)
    yield "growing_factories:training"
    sys.modules.pop("growing_factories", None)


def test_ctrl_c_shows_the_partial_estimate_and_exits_130(interrupted):
    found = CliRunner().invoke(kazami, ["lab", "lyapunov", interrupted, "--steps", "5000", "--lang", "en"], standalone_mode=False)
    assert found.return_value == 130, found.output
    assert "-0.288" in found.stdout  # the loss has the curvature 1: ln(1 - 1/4)
    assert "interrupted" in found.stdout


def test_ctrl_c_leaves_one_whole_document(interrupted):
    found = CliRunner().invoke(kazami, ["lab", "lyapunov", interrupted, "--steps", "5000", "--json"], standalone_mode=False)
    document = json.loads(found.stdout)
    assert found.return_value == 130
    assert document["complete"] is False
    assert document["steps"] == 70
