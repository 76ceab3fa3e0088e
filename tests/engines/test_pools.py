"""Pools: every item gets its result, whatever happens to the workers."""

import os
import signal
import subprocess
import sys

import pytest

from kazami.engines import Failure, pool
from kazami.errors import KazamiError, UsageError
from tests.pages import PATIENCE, comes_to, eventually


def test_here_is_the_reference():
    with pool("here") as workers:
        found = dict(workers.map(lambda number: 6 // number, [1, 0, 3]))
    assert (found[0], found[2]) == (6, 2)
    assert isinstance(found[1], Failure)
    assert (found[1].kind, found[1].is_lost) == ("ZeroDivisionError", False)
    assert "6 // number" in found[1].traceback


def test_processes_return_everything_though_one_is_killed_and_one_item_kills(tmp_path):
    once, factor = tmp_path / "once", 7

    def work(number: int) -> int:
        if number == 3 and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 6:
            raise ValueError("six is no good")
        return factor * number

    with pool("processes", workers=2, threads=1) as workers:
        found = dict(workers.map(work, (number for number in range(8))))
        assert {number: found[number] for number in (0, 1, 2, 3, 4, 7)} == {number: 7 * number for number in (0, 1, 2, 3, 4, 7)}
        assert found[5].is_lost
        assert "SIGKILL" in found[5].message
        assert (found[6].kind, found[6].message) == ("ValueError", "six is no good")
        assert dict(workers.map(lambda number: (number, os.environ["OMP_NUM_THREADS"]), [1])) == {0: (1, "1")}
        one = next(iter(workers.map(lambda number: number, range(1000))))  # the loop is left early
        assert one == (one[0], one[0])
        assert workers.process_ids == ()
    with pytest.raises(KazamiError, match="closed"):
        next(workers.map(abs, [1]))


def is_alive(process: int) -> bool:
    """Return whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


SCRIPT = """
import os, sys, time
from kazami.engines import pool
print("begun", flush=True)
base = 10
def work(number):
    print("said by the worker")
    time.sleep(float(sys.argv[1]))
    return base + number
for index, result in pool("processes", workers=1).map(work, [1, 2]):
    print(index, result, flush=True)
"""


def test_a_script_needs_no_guard_and_its_workers_may_print(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(script), "0"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["begun", "0 11", "1 12"]
    assert "said by the worker" in done.stderr


def test_interrupting_ends_the_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace('print("said by the worker")', 'open(sys.argv[2], "w").write(str(os.getpid()))'))
    told = tmp_path / "pid"
    running = subprocess.Popen([sys.executable, str(script), "600", str(told)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    worker = int(eventually(lambda: told.read_text() if told.exists() else "", bool))
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=PATIENCE)
    assert "KeyboardInterrupt" in said
    assert comes_to(lambda: is_alive(worker), False)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match="processes"):
        pool("proceses")
    with pytest.raises(UsageError, match="at least 1"):
        pool("processes", workers=0)
