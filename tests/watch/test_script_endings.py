"""Signals, forks, pipes and failures of our own: the parent sees what plain Python would have shown it, and what was noted is kept."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pages import PATIENCE, eventually
from tests.watch.plain_python import DRIVER, Place

POSIX_ONLY = pytest.mark.skipif(os.name != "posix", reason="signals and fork as POSIX has them")


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


FORKS = {
    "workers": """
        import multiprocessing, os
        def work(queue):
            import signal
            queue.put(str(signal.getsignal(signal.SIGTERM)))
            if os.environ.get("FAIL"): 1 / 0
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        worker = context.Process(target=work, args=(queue,))
        worker.start()
        print(queue.get())
        worker.join()
        for _ in range(20):
            stuck = context.Process(target=lambda: __import__("time").sleep(600))
            stuck.start()
            stuck.terminate()
            stuck.join()
            print(worker.exitcode, stuck.exitcode)
        """,
    "child runs on": """
        import atexit, os, sys
        child = os.fork()
        if child == 0:
            atexit.register(lambda: print("child at exit", flush=True))
            f = open("log.txt", "w")
            f.write("kept")
        else:
            print(os.waitpid(child, 0)[1], open("log.txt").read(), flush=True)
        """,
    "child exits": """
        import os, sys
        child = os.fork()
        if child == 0:
            sys.exit("child leaves")
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
    "child fails": """
        import os, signal
        child = os.fork()
        if child == 0:
            raise KeyboardInterrupt
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
}


@POSIX_ONLY
@pytest.mark.parametrize("name", FORKS)
@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_forked_children_leave_no_notes(place, name):
    place.write("train.py", FORKS[name])
    place.assert_same("train.py")
    assert place.notes() == ["before", "finished 0"]


WAITS = """
import atexit, sys, time
atexit.register(print, "at exit")
print("ready", flush=True)
def wait():
    for _ in range(6000):
        time.sleep(0.1)
wait()
"""


@POSIX_ONLY
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("command", [["train.py"], ["-m", "train"]], ids=" ".join)
def test_signals_kill_as_they_kill_python(place, number, command):
    place.write("train.py", WAITS)
    plain, watched = (killed(place, command, number, watched=watched) for watched in (False, True))
    assert watched == plain
    assert watched[0] == -number
    told = {signal.SIGINT: ["interrupted 130"], signal.SIGTERM: ["terminated 143"]}
    assert place.notes() == ["before", *told.get(number, [])]


def killed(place, command, number, *, watched):
    """Return how a script that waits ends when it is sent the signal ``number``."""
    with place.start(*command, watched=watched) as process:
        assert process.stdout.readline() == b"ready\n"
        await_sleep(process)  # so that it is in wait()
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def await_sleep(process):
    """Wait until a process sleeps, as far as the system tells."""
    stat = Path(f"/proc/{process.pid}/stat")
    if stat.exists():
        eventually(lambda: stat.read_text().rpartition(")")[2].split()[0], lambda state: state == "S")
    else:
        time.sleep(0.5)


@POSIX_ONLY
def test_a_handler_of_the_script_wins(place):
    place.write("train.py", "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *a: sys.exit(5))\n" + WAITS)
    plain, watched = (killed(place, ["train.py"], signal.SIGTERM, watched=watched) for watched in (False, True))
    assert watched == plain
    assert watched[0] == 5
    assert place.notes() == ["before", "exit 5"]


@POSIX_ONLY
def test_an_ignored_sigterm_stays_ignored(place):
    place.write("train.py", "import signal\nprint(signal.getsignal(signal.SIGTERM))")
    ignoring = "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); subprocess.run([sys.executable, *sys.argv[1:]])"
    done = [
        subprocess.run([sys.executable, "-c", ignoring, *driver, "train.py"], cwd=place.directory, env=place.environment, capture_output=True, check=True)
        for driver in ([], [str(place.driver)])
    ]
    assert done[0].stdout == done[1].stdout == b"1\n"


@POSIX_ONLY
def test_an_after_that_hangs_does_not_keep_the_process_alive(place):
    place.driver.write_text(
        "import kazami.watch.script as s, threading\ns._PATIENCE_S = 0.2\n"
        + DRIVER.replace("lambda end: note(", "lambda end: threading.Lock().acquire() and threading.Event().wait() or note(")
    )
    place.write("train.py", WAITS)
    assert killed(place, ["train.py"], signal.SIGTERM, watched=True)[0] == -signal.SIGTERM  # ``after`` itself would wait for ever


@POSIX_ONLY
@pytest.mark.parametrize("script", ["for i in range(100000):\n    print(i)", "print('x')\nimport sys\nsys.stdin.read()"])
def test_a_broken_pipe_is_reported_as_python_does(place, script):
    place.write("train.py", script)
    endings = []
    for watched in (False, True):
        with place.start("train.py", watched=watched) as process:
            process.stdout.close()
            process.stdin.close()  # the script that reads it ends only now
            err = process.stderr.read()
            endings.append((process.wait(PATIENCE), err))
    assert endings[0] == endings[1]


def test_failures_of_before_and_after_cost_one_line_each(place):
    place.write("train.py", "print('trained')")
    place.driver.write_text(DRIVER.replace('after=lambda end: note(f"{end.reason} {end.exit_code}")', "after=lambda end: [][1]"))
    code, out, err = place.run("train.py", watched=True)
    assert (code, out) == (0, b"trained" + os.linesep.encode())
    assert err.decode().splitlines() == ["kazami: watching could not be finished (IndexError: list index out of range); the script itself is not affected."]
    place.driver.write_text(DRIVER.replace('before=lambda: note("before")', "before=lambda: 1 / 0"))
    code, out, err = place.run("train.py", watched=True)
    assert (code, out) == (0, b"trained" + os.linesep.encode())
    assert err.decode().splitlines() == ["kazami: watching could not begin (ZeroDivisionError: division by zero); the script itself is not affected."]
    place.environment["KAZAMI_DEBUG"] = "1"
    err = place.run("train.py", watched=True)[2]
    assert err.startswith(b"Traceback")
    assert err.count(b"kazami: watching could not begin") == 1


@pytest.mark.parametrize("wrap", ["{0}", "import threading\nt = threading.Thread(target=lambda: {0})\nt.start()\nt.join()"])
def test_stopping_is_silent(place, wrap):
    place.write("train.py", "import kazami.watch.script as s\ndef step():\n    raise s.StopTraining\n" + wrap.format("step()"))
    assert place.run("train.py", watched=True) == (0, b"", b"")
    assert place.notes()[-1] in ("stopped 0", "finished 0")


def test_importing_the_module_loads_no_torch(place):
    code = "import sys, kazami.watch.script; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=place.environment, check=True)
