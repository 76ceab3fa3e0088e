"""Weights & Biases, offline: what is in the run, and the script's own step counter."""

import pytest

from kazami.errors import UsageError
from kazami.records import Finding, Sentence
from kazami.sinks.wandb import Wandb

wandb = pytest.importorskip("wandb", reason="the package wandb is not installed")
pytestmark = pytest.mark.filterwarnings("default")  # another package's warnings are not ours
FINDING = Finding("KZ104", "dead_units", "warning", 0.9, 3, "0", Sentence("Half of them are dead.", "死"))


@pytest.fixture(autouse=True)
def _offline(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)


def test_without_a_run_of_the_script_it_opens_an_offline_one_that_is_not_the_scripts(tmp_path) -> None:
    (tmp_path / "report.html").write_text("a report")
    sink = Wandb("project", run="runs/abc")
    sink.log(1, {"kazami/loss": 0.5})
    assert wandb.run is None  # a wandb.init of the script later gets a run of its own
    run = sink._run
    sink.finding(2, FINDING)
    sink.artifact(str(tmp_path / "report.html"))
    assert run.settings.mode == "offline"
    assert (run.project, run.name) == ("project", "abc")
    assert "dead_units" in run.tags
    sink.close()
    assert len(list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))) == 1


def test_beside_the_scripts_run_its_step_counter_never_moves() -> None:
    script = wandb.init(project="mine", mode="offline")
    sink = Wandb()
    counted = []
    for step in range(3):
        sink.log(10 * step + 1, {"kazami/loss": 1.0})
        sink.finding(10 * step + 1, FINDING)
        counted.append(script.step)
        script.log({"mine": step})
    assert counted == [0, 1, 2]
    sink.close()
    assert wandb.run is script  # still open
    script.finish()
    with pytest.raises(UsageError, match="has finished its W&B run"):
        sink.log(40, {"kazami/loss": 1.0})
