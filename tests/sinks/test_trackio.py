"""trackio, in a folder of the test's own and in a process of its own: it reads its folder when it is imported."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from kazami.sinks.trackio import Trackio

pytestmark = [pytest.mark.skipif(find_spec("trackio") is None, reason="the package trackio is not installed"), pytest.mark.slow]

TELL = """
import threading
from kazami.records import Finding, Sentence
from kazami.sinks.trackio import Trackio
def tell():
    sink = Trackio("study", run="runs/abc")
    for step in (1, 2):
        sink.log(step, {"kazami/loss": 1 / step})
    sink.finding(2, Finding("KZ104", "dead_units", "warning", 0.9, 3, "0", Sentence("Half of them are dead.", "死")))
    open("report.html", "w").write("a report")
    sink.artifact("report.html")
    sink.close()
thread = threading.Thread(target=tell); thread.start(); thread.join()
"""
READ = """
import json, trackio
from trackio.sqlite_storage import SQLiteStorage
(run,) = trackio.Api().runs("study")
print(json.dumps([run.name, SQLiteStorage.get_logs("study", run_id=run.id, run=run.name), [alert["title"] for alert in run.alerts()]], default=str))
"""


def test_it_is_in_its_store_and_says_nothing_on_stdout(tmp_path) -> None:
    environment = {**os.environ, "TRACKIO_DIR": str(tmp_path / "store"), "PYTHONWARNINGS": "ignore"}
    run = [sys.executable, "-c", TELL]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == ""
    said = subprocess.run([sys.executable, "-c", READ], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout
    name, history, alerts = json.loads(said.splitlines()[-1])
    assert name == "abc"
    assert [(row["step"], row["kazami/loss"]) for row in history] == [(1, 1.0), (2, 0.5)]
    assert alerts == ["kazami KZ104 dead_units"]


def test_its_name_is_what_the_command_line_says() -> None:
    assert (Trackio.name, Trackio.package, Trackio.extra) == ("trackio", "trackio", "trackio")
