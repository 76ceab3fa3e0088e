"""kill -9 loses at most the last flush interval, and a reader in another process sees a whole run at any instant."""

import random
import select
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from kazami.records import RunInfo
from kazami.storage import RunWriter, metric_parts, open_run
from tests.pages import eventually

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

N_KILLS = 24
AT_ONCE = 4
FLUSH_SECONDS = 0.03

WRITER = """
import sys, time
import numpy as np
from kazami.records import RunInfo
from kazami.storage import RunWriter, metric_parts
metric_parts.MERGE_AT = 4  # many merges
place, flush_seconds = sys.argv[1], float(sys.argv[2])
made = RunWriter(place, RunInfo("a"), flush_steps=20, flush_seconds=flush_seconds)
print("ready", flush=True)
step = 0
while True:
    step += 1
    made.append(step, {"loss": 1.0 / step, "q/000": float(step), "q/001": -float(step)})
    made.append_trajectory(step, {"theta": np.full(16, float(step))})
    made.update(steps=step)
    if step % 17 == 0:
        made.event("tick", step, {"word": "風" * 20})
        made.flush()
        assert not made.problems, made.problems
        print(step, flush=True)  # acknowledged: from now on it must never be lost
    time.sleep(0.0002)
"""


@pytest.fixture
def start():
    """Start Python with some code and arguments; nothing outlives the test."""
    with ExitStack() as stack:

        def started(code, *arguments):
            process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield started


def check(place, acknowledged):
    """Whatever is there is whole, correct and without a gap, and everything acknowledged is there."""
    run = open_run(place)
    series = run.series()
    newest = len(series["loss"]) if "loss" in series else 0
    assert newest >= acknowledged
    if newest:
        assert series["loss"].steps.tolist() == list(range(1, newest + 1))
        assert series["loss"].values.tolist() == [1.0 / step for step in range(1, newest + 1)]
        assert series["q"].values[:, 1].tolist() == [-float(step) for step in range(1, newest + 1)]
        assert run.table().num_rows % 3 == 0
        assert run.table().num_rows >= 3 * newest
        assert run.trace().step >= newest
    trajectory = run.trajectory()
    steps = trajectory.steps.tolist()
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) >= acknowledged
    if steps:
        assert trajectory["theta"][:, 7].tolist() == [float(step) for step in steps]
    assert [event["step"] for event in run.events()][: acknowledged // 17] == list(range(17, acknowledged + 1, 17))
    assert run.info.steps >= acknowledged
    assert run.problems == []
    return newest


def test_kill_minus_9_at_random_times(tmp_path, start):
    generator = random.Random(20261122)
    newest = []
    for batch in range(N_KILLS // AT_ONCE):
        places = [str(tmp_path / f"run-{batch}-{n}") for n in range(AT_ONCE)]
        processes = [start(WRITER, place, str(FLUSH_SECONDS)) for place in places]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        first = processes[0].stdout.readline()  # however busy the machine is, one of them has written something
        for process in processes:
            time.sleep(generator.uniform(0.05, 0.4) / AT_ONCE)
            process.send_signal(signal.SIGKILL)
        for process, place in zip(processes, places, strict=True):
            said = (first if process is processes[0] else "") + process.communicate()[0]
            acknowledged = [int(line) for line in said.split("\n")[:-1]]  # without a torn last one
            assert process.returncode == -signal.SIGKILL
            newest.append(check(place, acknowledged[-1] if acknowledged else 0))
    assert sum(newest) > 0


def test_time_alone_bounds_the_loss(tmp_path, start):
    code = (
        "import sys, time; from kazami.records import RunInfo; from kazami.storage import RunWriter\n"
        "made = RunWriter(sys.argv[1], RunInfo('a'), flush_seconds=0.2)\n"
        "made.append(1, {'loss': 1.0}); print('appended', flush=True); time.sleep(600)"
    )
    place = str(tmp_path / "run")
    process = start(code, place)
    assert process.stdout.readline() == "appended\n"
    eventually(lambda: open_run(place).series(), bool)  # nobody asks the writer to flush
    process.kill()
    process.communicate()
    assert open_run(place).series()["loss"].values.tolist() == [1.0]


READER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_crash import check
n = 0; newest = 0
while True:
    seen = check(sys.argv[1], 0)  # metrics, trajectory and head of one flush appear one after the other, so none vouches for another
    assert seen >= newest  # what was seen once is seen for ever
    newest = seen; n += 1
    print(n, newest, flush=True)
"""


def test_reader_in_another_process_while_writing(tmp_path, start):
    place = str(tmp_path / "run")
    writer = start(WRITER, place, str(FLUSH_SECONDS))
    assert writer.stdout.readline() == "ready\n"
    follower = start(READER, place, __file__.rpartition("/")[0])
    n_first, newest_first = map(int, follower.stdout.readline().split())
    n_last = newest_last = 0
    end = time.monotonic() + 2.0
    while time.monotonic() < end or n_last <= n_first + 5 or newest_last <= newest_first:
        while select.select([writer.stdout], [], [], 0.0)[0]:
            writer.stdout.readline()
        line = follower.stdout.readline()
        assert line, follower.stderr.read()
        n_last, newest_last = map(int, line.split())
    follower.kill()
    writer.kill()
    assert follower.communicate()[1] == ""
    writer.communicate()
    check(place, newest_last - newest_last % 17)


def test_reader_on_a_store_in_memory_while_writing(monkeypatch):
    monkeypatch.setattr(metric_parts, "MERGE_AT", 4)
    place = "memory://live/run"
    made = RunWriter(place, RunInfo("a"), flush_steps=3, flush_seconds=0.001)
    newest = 0
    for step in range(1, 300):
        made.append(step, {"loss": float(step)})
        if step % 10 == 0:
            run = open_run(place)
            series = run.series()
            steps = series["loss"].steps.tolist() if series else []
            assert steps == list(range(1, len(steps) + 1))
            assert len(steps) >= newest
            assert run.problems == []
            newest = len(steps)
    made.close()
    assert open_run(place).series()["loss"].steps.tolist() == list(range(1, 300))
    assert made.problems == []
