"""``kazami lab trainability``: what is printed, written, refused and kept."""

import json

import pytest
from click.testing import CliRunner

from kazami.cli import kazami
from kazami.trainability import open_map
from kazami.trainability.reference import Reference

SMALL = ["lab", "trainability", "--size", "14", "--width", "3", "--steps", "20", "--zoom", "1e-1:1e3,1e-1:1e3", "--engine", "reference"]


def run(*words):
    return CliRunner().invoke(kazami, [*SMALL, *words])


def test_a_map_with_everything(tmp_path):
    ended = run("-o", str(tmp_path / "m.png"), "--data", str(tmp_path / "m.npz"), "--json", str(tmp_path / "m.json"), "--lang", "en")
    assert ended.exit_code == 0, ended.output
    told = json.loads((tmp_path / "m.json").read_text())
    held = open_map(str(tmp_path / "m.npz"))
    assert told["schema"] == 1
    assert told["converged"] == pytest.approx(held.converged_share)
    assert told["trained"] == 196
    assert (tmp_path / "m.png").stat().st_size > 10_000
    assert "share that trains" in ended.output


def test_the_document_alone_goes_to_stdout():
    ended = run("--json", "-")
    assert json.loads(ended.stdout)["is_complete"] is True


def test_japanese_and_other_conditions():
    assert "学習できる割合" in run("--lang", "ja").output
    ended = CliRunner().invoke(kazami, ["lab", "trainability", "--condition", "offset", "--size", "6x4", "--width", "3", "--steps", "8", "--json", "-"])
    told = json.loads(ended.stdout)
    assert (told["window"]["axes"], told["columns"], told["rows"]) == (["offset", "lr"], 6, 4)


def test_tiles_go_on(tmp_path):
    for _ in range(2):
        ended = run("--tiles", str(tmp_path / "tiles"), "--levels", "1", "--width", "2", "--steps", "2", "--json", "-")
        assert ended.exit_code == 0, ended.output
        assert json.loads(ended.stdout)["tiles"]["done"] == 1
    assert (tmp_path / "tiles" / "0" / "0" / "0.png").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--zoom", "1:2"], "X0:X1,Y0:Y1"),
        (["--axes", "lr0"], "two names"),
        (["--axes", "lr0,lr"], "same number"),
        (["--size", "1"], "at least 2"),
        (["--condition", "tahn"], "tanh"),
        (["-o", "map.gif"], ".png"),
        (["--fixed", "lr1"], "NAME=VALUE"),
    ],
)
def test_refusals(words, text):
    ended = run(*words)
    assert ended.exit_code != 0
    assert text in str(ended.exception) + ended.output


def test_ctrl_c_writes_what_is_there(tmp_path, monkeypatch):
    calls = []
    whole = Reference.run

    def interrupted(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(self, *arguments, **options)

    monkeypatch.setattr(Reference, "run", interrupted)
    ended = CliRunner(catch_exceptions=False).invoke(kazami, [*SMALL, "--data", str(tmp_path / "m.npz"), "--json", "-"], standalone_mode=False)
    assert ended.return_value == 130
    held = open_map(str(tmp_path / "m.npz"))
    assert not held.is_complete
    assert held.computed.sum() == 64
