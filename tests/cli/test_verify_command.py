"""``kazami verify`` and the lab's commands on somebody's own training."""

import json

import pytest
from click.testing import CliRunner

from kazami.cli.lab.claims_command import command as claims
from kazami.cli.lab.lyapunov_command import command as lyapunov
from kazami.cli.lab.noise_command import command as noise
from kazami.cli.lab.run_command import command as run
from kazami.cli.verify_command import command as verify
from kazami.errors import UnknownName, UsageError

FACTORY = """
import kazami, torch
from torch import nn

def training():
    x = torch.linspace(-1, 1, 16).reshape(8, 2)
    y = torch.tensor([0, 1] * 4)
    return kazami.Training(model=lambda: nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),
                           loss=nn.functional.cross_entropy, batches=lambda: [(x, y)], steps=40)
"""


def called(command, *words):
    """Run a command; its return value is the exit code."""
    return CliRunner().invoke(command, list(words), standalone_mode=False)


@pytest.fixture
def factory(tmp_path, monkeypatch):
    (tmp_path / "somebodys.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "somebodys:training"


def test_verify_prints_a_table_and_succeeds():
    done = called(verify, "thresholds", "--lang", "en")
    assert done.return_value == 0
    assert "5 of 5 passed" in done.stdout
    assert "heavy ball" in done.stdout


def test_verify_writes_one_document(tmp_path):
    done = called(verify, "thresholds", "--json", "-")
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert all(check["passed"] for check in document["checks"])
    assert called(verify, "thresholds", "--json", str(tmp_path / "truths.json"), "--lang", "ja").return_value == 0
    assert json.loads((tmp_path / "truths.json").read_text())["complete"]


def test_a_truth_that_fails_gives_4(monkeypatch):
    from kazami.lab.verification import thresholds

    monkeypatch.setattr(thresholds, "flip", lambda *_, **__: 1.0)
    done = called(verify, "thresholds", "--lang", "en")
    assert done.return_value == 4
    assert "1 of 5 passed" in done.stdout


def test_an_unknown_group_is_refused():
    assert isinstance(called(verify, "threshold").exception, UnknownName)


def test_claims_are_judged():
    document = json.loads(called(claims, "numerical-derivative-passes", "--json").stdout)
    assert document["claims"][0]["verdict"] == "holds"
    assert "成り立つ" in called(claims, "numerical-derivative-passes", "--lang", "ja").stdout


def test_lyapunov_of_a_factory(factory, tmp_path):
    document = json.loads(called(lyapunov, factory, "--steps", "80", "--json").stdout)
    assert document["schema"] == 1
    assert len(document["local"]) == 80
    assert document["conditions"]
    done = called(lyapunov, factory, "--steps", "80", "-o", str(tmp_path / "lambda.png"), "--lang", "en")
    assert "exponent 1" in done.stdout
    assert (tmp_path / "lambda.png").stat().st_size > 5000


def test_a_figure_of_another_kind_is_refused_before_the_work(factory):
    assert isinstance(called(lyapunov, factory, "-o", "lambda.gif").exception, UsageError)


def test_noise_of_a_factory(factory):
    document = json.loads(called(noise, factory, "--steps", "5", "--replicas", "1", "--json").stdout)
    assert [row["source"] for row in document["rows"]] == ["nothing", "weights", "order", "masks", "threads", "tiny", "all"]
    assert document["rows"][0]["weights"] == 0.0
    assert document["complete"]


def test_factors_are_checked_before_the_work():
    assert isinstance(called(run, "danovski-2024", "--set", "activation").exception, UsageError)
    assert isinstance(called(run, "clipping", "--set", "activation=relu").exception, UsageError)
