"""Trouble with the disk: one clear sentence a kind, and the training goes on."""

import errno
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from kazami.records import RunInfo
from kazami.storage import RunWriter, open_run, writer
from kazami.storage.store import Store
from tests.pages import PATIENCE, eventually

NEVER = 1e9


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "run")


def run_python(code, *arguments, **options):
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=PATIENCE, **options)


def steps_of(place):
    series = open_run(place).series().get("loss")
    return [] if series is None else series.steps.tolist()


def wait_for(condition):
    assert eventually(condition, bool)


def full(self, path, content):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_is_said_once_and_nothing_is_lost_when_space_comes_back(place, monkeypatch):
    made = RunWriter(place, RunInfo("a"), flush_seconds=NEVER)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "_write", full)
        patch.setattr(Store, "append", lambda self, name, line: full(self, name, line))
        for step in range(1, 6):
            made.append(step, {"loss": 1.0})
            made.append_trajectory(step, {"a": np.zeros(1)})
            made.event("finding", step, {})
            made.update(steps=step)
            made.flush()
    assert len(made.problems) == 1
    assert f"no space is left for {place}" in made.problems[0]
    made.flush()
    run = open_run(place)
    assert steps_of(place) == run.trajectory().steps.tolist() == [event["step"] for event in run.events()] == [1, 2, 3, 4, 5]
    assert run.info.steps == 5
    made.close()


def test_trouble_of_another_kind_is_another_sentence(place, monkeypatch):
    made = RunWriter(place, RunInfo("a"), flush_seconds=NEVER)
    made.append(1, {"loss": 1.0})
    with monkeypatch.context() as patch:
        for error in (OSError(errno.ENOSPC, "x"), OSError(errno.EROFS, "x"), RuntimeError("the store is odd")):
            patch.setattr(Store, "put", lambda self, name, content, error=error: (_ for _ in ()).throw(error))
            made.flush()
            made.flush()
    made.close()
    assert [next(word for word in ("space", "read-only", "odd") if word in sentence) for sentence in made.problems] == ["space", "read-only", "odd"]
    assert steps_of(place) == [1]


def test_deleted_directory_is_said_and_stays_deleted(place):
    made = RunWriter(place, RunInfo("a"), flush_seconds=NEVER)
    os.remove(f"{place}/run.json")
    os.rmdir(f"{place}/metrics")
    os.rmdir(place)
    made.append(1, {"loss": 1.0})
    made.append_trajectory(1, {"a": np.zeros(1)})
    made.event("finding", 1, {})
    made.close(reason="finished")
    assert not os.path.exists(place)
    assert len(made.problems) == 1
    assert "deleted" in made.problems[0]


FILE_LIMIT = """
import resource, sys
from kazami.records import RunInfo
from kazami.storage import RunWriter, open_run
made = RunWriter(sys.argv[1], RunInfo("a"), flush_seconds=0.05)
made.append(1, {"loss": 1.0}); made.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for step in range(2, 300): made.append(step, {"loss": 1.0})
made.event("long", 300, {"text": "x" * 200})
made.flush()
assert open_run(sys.argv[1]).series()["loss"].steps.tolist() == [1]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
made.close()
run = open_run(sys.argv[1])
assert run.series()["loss"].steps.tolist() == list(range(1, 300)), run.series()
assert [event["step"] for event in run.events()] == [300]
print(made.problems)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limit")
def test_real_limit_of_the_file_size(place):
    result = run_python(FILE_LIMIT, place)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("no space is left") == 1
    assert result.stderr == ""


def test_hanging_disk_is_waited_for_only_so_long(place, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", 0.1)
    made = RunWriter(place, RunInfo("a"), flush_seconds=NEVER)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", lambda self, name, content: release.wait())
        made.append(1, {"loss": 1.0})
        made.flush()
        made.close()
        assert made._thread.is_alive()  # it hangs still, and nobody waited for it
        release.set()
    wait_for(lambda: not made._thread.is_alive())
    assert len(made.problems) == 1
    assert "did not take everything" in made.problems[0]


def test_memory_is_bounded_while_the_disk_hangs(place, monkeypatch):
    release = threading.Event()
    put = Store.put
    monkeypatch.setattr(writer, "MOST_WAITING", 500)
    monkeypatch.setattr(Store, "put", lambda self, name, content: (release.wait(), put(self, name, content)))
    made = RunWriter(place, RunInfo("a"), flush_steps=1, flush_seconds=NEVER)
    made.append(1, {"loss": 1.0})
    wait_for(lambda: not made._metrics.rows)  # the writer took it, and hangs
    for step in range(2, 1000):
        made.append(step, {"loss": 1.0})
    release.set()
    made.close()
    assert 50 < len(steps_of(place)) < 200
    assert "dropped" in made.problems[0]
