"""The process in which scripts are replayed: ``main`` reads one job a line, and forks for each, torch being there already."""

import json
import math
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ..records import Finding, Trace
from ..watch.observer import Observer
from ..watch.player import Player
from ..watch.script import ScriptEnd, StopTraining, run_script
from ..watch.watching import findings_of
from ..watch.writing import newest_trace
from .confinement import confine
from .reseeding import Reseeding, offset_seeds

LEAST_STEPS = 30  # a trial that takes fewer says little
LONGEST = 4.0  # times its seconds may a script take until it has made them
GRACE = 20.0  # seconds beyond that before its process is killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One thing to do with a script in a mirror of its working directory.

    Attributes:
        kind: ``"replay"``, or ``"search"``: harvest a `Training` from its first steps, and search a cure for that in memory.
        target: The script in the mirror, or the name of a module.
        arguments: The script's own.
        as_module: Run as ``python -m target``.
        directories: The mirrors; the first is the working directory.
        temporary: Folder for temporary files.
        may_write: Let the script write wherever it likes.
        offset: Added to the script's seeds.
        steps: Optimizer steps after which it is stopped; ``None``: it runs to its end.
        seconds: Seconds from its first step on after which it is stopped.
        n_seeds: Seeds of a search's proof.
        only: The one prescription that a search tries; empty for all.
        result: File for the pickled result.
        log: File for what the script prints.
    """

    kind: str
    target: str
    arguments: list[str]
    as_module: bool
    directories: list[str]
    temporary: str
    result: str
    log: str
    may_write: bool = False
    offset: int = 0
    steps: int | None = None
    seconds: float = math.inf
    n_seeds: int = 3
    only: str = ""


@dataclass(slots=True)
class Replay:
    """What a replayed script did.

    Attributes:
        losses: One per optimizer step.
        trace: What was seen of it.
        findings: What the diagnosis says of it.
        reason: How it ended, as `ScriptEnd` says.
        error: The exception on one line, empty where there was none.
        refused: Writes that were refused.
        seconds: Wall time.
        first_step_at: Seconds until the first optimizer step ended, NaN where there was none.
    """

    losses: list[float] = field(default_factory=list)
    trace: Trace = field(default_factory=lambda: Trace(step=0))
    findings: list[Finding] = field(default_factory=list)
    reason: str = ""
    error: str = ""
    refused: tuple[str, ...] = ()
    seconds: float = 0.0
    first_step_at: float = math.nan


def replay(job: Job, refused: list[str]) -> Replay:
    """Run the script, watched, to its end or its limit."""
    done = Replay()
    began = time.perf_counter()
    ends: list[ScriptEnd] = []

    def step_ended(player: Player, step: int, is_sampled: bool) -> None:
        del is_sampled
        if player is not observer.players[0]:
            return
        loss = observer.pending_loss
        done.losses.append(math.nan if loss is None else float(loss))
        now = time.perf_counter() - began
        done.first_step_at = now if step == 1 else done.first_step_at
        reseeding.step_ended()
        is_late = now - done.first_step_at > job.seconds and (step >= LEAST_STEPS or now > LONGEST * job.seconds)
        if (job.steps is not None and step >= job.steps) or is_late:
            raise StopTraining

    observer = Observer(on_step=step_ended)
    reseeding: Reseeding = offset_seeds(job.offset)
    run_script(job.target, job.arguments, as_module=job.as_module, before=observer.attach, after=ends.append)
    observer.detach()
    done.findings, done.trace = findings_of(observer), newest_trace(observer)
    done.seconds = time.perf_counter() - began
    done.refused = tuple(dict.fromkeys(refused))
    if ends:
        done.reason, done.error = ends[0].reason, ends[0].exception or ""
        if ends[0].exit_code and not done.error:
            done.error = f"it ended with exit code {ends[0].exit_code}"
    else:
        done.reason, done.error = "exception", "the script could not be started"
    return done


def search(job: Job, refused: list[str]) -> Any:
    """Harvest a training from the script's first steps, search a cure for it in memory, and return the proof without its training, or why there is none."""
    from dataclasses import replace

    from ..errors import KazamiError
    from ..watch.harvest import harvest
    from .curing import cure

    began = time.perf_counter()
    try:
        target = harvest(job.target, job.arguments, as_module=job.as_module, steps=job.steps or 1)
    except KazamiError as error:
        return str(error)
    if target.training is None:
        return f"{target.why_no_training}{'; refused: ' + refused[0] if refused else ''}"
    left = job.seconds - (time.perf_counter() - began)
    try:
        found = cure(target.training, budget=max(left, 1.0), seeds=job.n_seeds, only=job.only)
    except KazamiError as error:
        return str(error)
    return replace(found, training=None)


def carry_out(job: Job) -> None:
    """Do a job in this process, which is for nothing else, and write its result."""
    refused: list[str] = []
    os.chdir(job.directories[0])
    os.environ["PWD"] = job.directories[0]
    if not sys.flags.safe_path:
        sys.path.insert(0, "")  # the entry that Python makes for what it starts, and that becomes the script's folder; `START` took it away
    _redirect(job.log)
    result_file = open(job.result, "wb")  # noqa: SIM115 - opened before writes are refused
    if not job.may_write:
        confine(job.directories, job.temporary, refused.append)
    tasks: dict[str, Callable[[Job, list[str]], Any]] = {"replay": replay, "search": search}
    result = tasks[job.kind](job, refused)
    with result_file as file:
        pickle.dump(result, file)


def _redirect(log: str) -> None:
    nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(nothing, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)


def serve() -> int:
    """Carry out one job a line of stdin, each in a fork of its own; say on stdout when each has ended."""
    running: list[int] = []

    def end(number: int, frame: Any) -> None:
        del number, frame
        for process in running:
            with suppress(OSError):
                os.killpg(process, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    import_module("torch._dynamo")  # any optimizer brings it at its first step; here it is brought once
    for line in sys.stdin:
        job = Job(**json.loads(line))
        process = os.fork()
        if process == 0:
            _in_child(job)
        running[:] = [process]
        code = _waited(process, time.monotonic() + LONGEST * job.seconds + GRACE)
        running.clear()
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()
    return 0


def _in_child(job: Job) -> None:
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        carry_out(job)
        code = 0
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)  # into the log
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(code)


def _waited(process: int, until: float) -> int:
    """Wait for a process, and kill it with its whole group when its time is over; return how it ended."""
    pause = 0.002
    while time.monotonic() < until:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            _kill_group(process)  # workers that it left
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    _kill_group(process)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _kill_group(process: int) -> None:
    with suppress(OSError):
        os.killpg(process, signal.SIGKILL)


def main() -> int:
    """Serve where processes can be forked, else carry out the one job on stdin."""
    if hasattr(os, "fork"):
        return serve()
    carry_out(Job(**json.loads(sys.stdin.readline())))
    return 0
