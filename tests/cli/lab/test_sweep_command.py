"""``kazami lab sweep``: what is shown, written, gone on with and refused, in both languages."""

import json
import sys

import pytest
from click.testing import CliRunner

from kazami.cli import kazami
from kazami.errors import UsageError
from kazami.sweeps import read_sweep

FACTORY = """
import kazami, torch
from torch import nn
torch.manual_seed(0)
X, Y = torch.randn(20, 3), torch.randn(20, 1)
def make_model(width=4):
    if width == 7:
        raise RuntimeError("seven brings bad luck")
    return nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Linear(width, 1))
def training():
    return kazami.Training(model=make_model, optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1), loss=nn.functional.mse_loss,
                           batches=lambda: [(X, Y)], steps=110, evaluate=lambda m: 1.0)
"""
SCRIPT = """
import torch
from torch import nn
torch.manual_seed(0)
X, Y = torch.randn(64, 3), torch.randn(64, 1)
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), 0.05)
for step in range(8):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(X[8 * step : 8 * step + 8]), Y[8 * step : 8 * step + 8])
    loss.backward()
    optimizer.step()
print("the script's own line")
"""
TOML = """
[training]
factory = "sweep_factories:training"
record = ["score", "final_loss"]
[factors]
learning_rate = {log = [1e-2, 1.0, 3]}
width = [2, 4]
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A directory with a factory, a script and a sweep, beside the working directory."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "sweep_factories.py").write_text(FACTORY)
    (tmp_path / "there" / "train.py").write_text(SCRIPT)
    (tmp_path / "there" / "sweep.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("sweep_factories", None)


def lab(*words):
    """Run ``kazami lab sweep …`` and return how it ended."""
    return CliRunner().invoke(kazami, ["lab", "sweep", *words], standalone_mode=False)


def test_a_sweep_runs_is_shown_and_lies_beside_its_file(place):
    ended = lab("there/sweep.toml", "--figure", "map.png", "--lang", "en")
    assert ended.return_value == 0, ended.output
    assert "Best settings" in ended.stdout
    assert "table: there/sweep (6 rows of 6 trainings)" in ended.stdout
    assert "members: 6" in ended.stderr
    assert (place / "map.png").stat().st_size > 1000
    assert read_sweep(place / "there" / "sweep").is_complete


def test_the_same_command_again_shows_the_same(place):
    (place / "there" / "sweep.toml").write_text(TOML.replace('"score", ', '"regime", '))
    first, second = lab("there/sweep.toml", "--json", "-"), lab("there/sweep.toml", "--json", "-")
    document, again = json.loads(first.stdout), json.loads(second.stdout)
    for told in (document, again):
        told["plan"].pop("seconds")  # an estimate, which learns
    assert document == again
    assert (document["schema"], document["members"], document["is_complete"], document["failures"]) == (1, 6, True, [])
    assert sum(document["regimes"].values()) == 6


def test_a_dry_run_shows_the_plan_and_runs_nothing(place):
    ended = lab("there/sweep.toml", "--dry-run", "--lang", "en")
    assert "members" in ended.stdout
    assert "MiB" in ended.stdout
    assert not (place / "there" / "sweep").exists()
    assert json.loads(lab("there/sweep.toml", "--dry-run", "--json", "-").stdout)["plan"]["members"] == 6


def test_japanese_is_spoken(place):
    ended = lab("there/sweep.toml", "--lang", "ja")
    assert "最良の設定" in ended.stdout
    assert "訓練の数: 6" in ended.stderr


def test_the_directory_and_the_engine_may_be_given(place):
    ended = lab("there/sweep.toml", "--directory", "mine", "--engine", "eager", "--json", "all.json")
    assert ended.return_value == 0
    assert "eager" in json.loads((place / "all.json").read_text())["engine"]
    assert read_sweep(place / "mine").is_complete


def test_a_script_is_swept_with_the_weights_that_its_moved_seeds_give(place):
    (place / "there" / "sweep.toml").write_text(
        '[training]\nscript = "train.py"\nrecord = ["loss"]\nevery = 1\n[factors]\nseed = {range = 3}\nlearning_rate = [0.05]\n'
    )
    ended = lab("there/sweep.toml")
    assert ended.return_value == 0, ended.output
    rows = read_sweep(place / "there" / "sweep").to_pandas()
    assert len(rows) == 3 * 8
    assert rows[rows.step == 0].loss.nunique() == 3
    assert "the script's own line" not in ended.stdout


def test_a_training_that_raises_is_told_and_the_rest_goes_on(place):
    (place / "there" / "sweep.toml").write_text(TOML.replace("[2, 4]", "[2, 7]"))
    ended = lab("there/sweep.toml", "--lang", "en")
    assert ended.return_value == 0
    assert "3 of 6 trainings raised, first learning_rate = 0.01, width = 7: RuntimeError: seven brings bad luck" in ended.stderr


def test_a_sweep_of_which_nothing_ran_is_an_error(place):
    (place / "there" / "sweep.toml").write_text(TOML.replace("[2, 4]", "[7]").replace("[2, 4]", ""))
    ended = lab("there/sweep.toml")
    assert isinstance(ended.exception, UsageError)
    assert "seven brings bad luck" in str(ended.exception)


def test_ctrl_c_keeps_what_is_there_and_says_how_to_go_on(place, monkeypatch):
    from contextlib import contextmanager

    @contextmanager
    def interrupting(what):
        def progress(done, total):
            if done:
                raise KeyboardInterrupt

        yield progress

    monkeypatch.setattr("kazami.cli.lab.sweep_command.progress_bar", interrupting)
    ended = lab("there/sweep.toml", "--lang", "en")
    assert ended.return_value == 130
    assert "3 of 6 are done. Go on with: kazami lab sweep there/sweep.toml --directory there/sweep" in ended.stderr
    monkeypatch.undo()
    assert not read_sweep(place / "there" / "sweep").is_complete


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        (("width", "wdith"), (), 'Did you mean "width"'),
        (("{log = [1e-2, 1.0, 3]}", "{log = [1e-2]}"), (), r"factors.learning_rate.log should be \[low, high, count\]"),
        (("", ""), ("--figure", "map.gif"), r"\.png, \.svg or \.pdf"),
        (("", ""), ("--engine", "turbo"), "turbo"),
        (("sweep_factories:training", "sweep_factories:trainin"), (), "trainin"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(place, change, words, said):
    path = place / "there" / "sweep.toml"
    path.write_text(TOML.replace(*change) if change[0] else TOML)
    ended = lab("there/sweep.toml", *words)
    assert isinstance(ended.exception, UsageError)
    import re

    assert re.search(said, str(ended.exception))
    assert not (place / "there" / "sweep").exists()
