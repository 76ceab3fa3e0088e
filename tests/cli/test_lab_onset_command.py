"""``kazami lab onset``: table, proof, exit codes, refusals."""

import json
import sys

import pytest
from click.testing import CliRunner

from kazami.cli import kazami
from tests.cli.test_lab_bifurcation_command import FACTORY

SEEDED = FACTORY.replace("torch.tensor(0.345, dtype=torch.float64)", "0.3 + 0.5 * torch.rand((), dtype=torch.float64)")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a factory."""
    (tmp_path / "seeded.py").write_text(SEEDED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    sys.modules.pop("seeded", None)
    return tmp_path


def run(*words):
    return CliRunner(catch_exceptions=False).invoke(kazami, ["lab", "onset", *words], standalone_mode=False)


def test_onset_fastest_and_proof(place):
    """The cubic map: chaos from 1.302 on, fastest at the superstable rate 1/2, two over the sharpness of the start somewhere else."""
    ended = run("seeded:training", "--rates", "0.25:2", "--count", "7", "--seeds", "4", "--goal", "1e-10", "--json", "o.json", "-o", "o.png", "--lang", "en")
    assert ended.return_value == 0, ended.output
    told = json.loads((place / "o.json").read_text())
    assert told["fastest"] == pytest.approx(0.5)
    assert told["fastest_interval"] == pytest.approx([0.5, 0.5])
    assert 1.0 < told["onset"] < 1.7
    assert {rival["name"] for rival in told["rivals"]} == {"range_test", "stability"}
    assert all(rival["verdict"] in ("beaten", "equal", "none") for rival in told["rivals"])
    assert [row["failed"] for row in told["table"]][-1] == 1.0
    assert "Proved" in ended.output
    assert (place / "o.png").stat().st_size > 10_000


def test_what_never_gets_there_is_not_proved(place):
    ended = run("seeded:training", "--rates", "1e-6:1e-5", "--count", "3", "--seeds", "2", "--steps", "12", "--goal", "1e-10", "--json", "-")
    assert ended.return_value == 4
    told = json.loads(ended.stdout)
    assert told["fastest"] is None
    assert told["rivals"] == []


@pytest.mark.parametrize(("words", "text"), [(["--rates", "3"], "LOW:HIGH"), (["--rates", "3:1"], "LOW"), (["-o", "x.gif"], ".png")])
def test_refusals(place, words, text):
    del place
    ended = CliRunner().invoke(kazami, ["lab", "onset", "seeded:training", *words])
    assert ended.exit_code != 0
    assert text in str(ended.exception) + ended.output
