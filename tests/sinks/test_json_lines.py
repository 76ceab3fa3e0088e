"""JSON lines, read back."""

import json
import math
import os

import pytest

from kazami.records import Finding, Sentence
from kazami.sinks._feed import Feed, finish
from kazami.sinks.json_lines import JsonLines

FINDING = Finding("KZ104", "dead_units", "warning", 0.9, 3, "0", Sentence("Dead.", "死"))


def test_every_line_is_strict_json_and_there_as_soon_as_it_was_told(tmp_path) -> None:
    sink = JsonLines(str(tmp_path / "m.jsonl"), "runs/a")
    sink.log(1, {"kazami/loss": 0.5, "kazami/total_gradient_norm": math.inf, "kazami/x": math.nan})
    sink.finding(2, FINDING)
    lines = (tmp_path / "m.jsonl").read_text(encoding="utf-8").splitlines()  # before it is closed: a killed process has written them
    first, second = (json.loads(line, parse_constant=pytest.fail) for line in lines)
    assert first == {"run": "runs/a", "step": 1, "values": {"kazami/loss": 0.5, "kazami/total_gradient_norm": "Infinity", "kazami/x": "NaN"}}
    assert (second["step"], second["finding"]["name"], second["finding"]["sentence"]["ja"]) == (2, "dead_units", "死")
    sink.artifact("report.html")
    sink.close()
    assert json.loads((tmp_path / "m.jsonl").read_text().splitlines()[-1]) == {"run": "runs/a", "artifact": "report.html"}


def test_it_goes_on_with_a_file_that_is_there(tmp_path) -> None:
    for step in (1, 2):
        sink = JsonLines(str(tmp_path / "m.jsonl"))
        sink.log(step, {})
        sink.log(step, {})
        sink.close()
    runs = [json.loads(line)["run"] for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert len(runs) == 4
    assert runs[0] == runs[1] != runs[2] == runs[3]  # whose line it is can be told even where no run directory is written


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_is_one_warning() -> None:
    said: list[Sentence] = []
    feed = Feed(JsonLines("/dev/full"), said.append)
    for step in range(10):
        feed.log(step, {"kazami/loss": 1.0})
    finish([feed])
    assert len(said) == 1
    assert "No space left" in said[0].en
