"""``kazami compare``: what is printed, written and refused."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from kazami.cli import kazami
from tests.comparison.runs import orbit, stored

START = np.random.default_rng(0).uniform(0.1, 0.9, (2, 30))


def call(*words):
    return CliRunner().invoke(kazami, ["compare", *words])


@pytest.fixture
def pair(tmp_path):
    rows = orbit(lambda x: 4 * x * (1 - x), START, 80)
    other = orbit(lambda x: 4 * x * (1 - x), START + 1e-12, 80)
    return stored(rows, location=str(tmp_path / "a")), stored(other, location=str(tmp_path / "b"))


def test_the_text_holds_sentence_and_curve(pair):
    ended = call(*pair, "--lang", "en")
    assert ended.exit_code == 0, ended.output
    first, _, bars, scale = ended.output.splitlines()[:4]
    assert first.startswith("Parted exponentially at 0.6")
    levels = ["▁▂▃▄▅▆▇█".index(letter) for letter in bars.strip()]
    assert levels[0] == 0
    assert max(levels[-16:]) == 7
    assert "steps 0–80" in scale


def test_japanese(pair):
    assert "指数的に分かれました" in call(*pair, "--lang", "ja").output


def test_json_alone_on_stdout(pair):
    ended = call(*pair, "--json", "-")
    data = json.loads(ended.stdout)
    assert (data["schema"], data["kind"], data["first"]["what"]) == (1, "exponential", "start")
    assert len(data["distance"]["steps"]) == len(data["distance"]["standard_errors"]) == 81


def test_json_and_figure_into_files(pair, tmp_path):
    ended = call(*pair, "--json", str(tmp_path / "c.json"), "--png", str(tmp_path / "c.png"))
    assert ended.exit_code == 0, ended.output
    assert json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["kind"] == "exponential"
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_with_itself_is_the_same(pair):
    ended = call(pair[0], pair[0], "--lang", "en")
    assert ended.exit_code == 0
    assert ended.output.startswith("Same:")


def test_what_is_no_run_ends_with_5(pair, tmp_path, monkeypatch):
    from kazami.cli import main

    for words in ([pair[0], str(tmp_path / "nowhere")], [str(tmp_path), pair[0]]):
        monkeypatch.setattr(sys, "argv", ["kazami", "compare", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 5
