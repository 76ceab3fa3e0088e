"""RunWriter: writes a run directory beside a training, without ever standing in its way."""

import atexit
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from ..records import RunInfo
from .events import EventLines
from .live_tail import LiveTail
from .location import DISTRIBUTIONS, claimed, head_bytes, head_name
from .metric_parts import MetricParts
from .strict_json import dumps, plain
from .trajectory import TrajectoryParts
from .trouble import trouble

MOST_WAITING = 4_000_000  # numbers; about 300 MB of Python objects, reached only when the disk hangs
TRAJECTORY_FLUSH = 64 * 2**20  # bytes that make the writer flush before its time
PATIENCE_SECONDS = 10.0  # longest wait of the training for the writer, in flush() and close()
FORK_PATIENCE_SECONDS = 2.0

_Request = SimpleQueue[None] | None


class RunWriter:
    """Writes one run directory from a thread of its own; whatever goes wrong with the disk, the training goes on.

    Args:
        location: Path or fsspec URL of the run directory.
        info: Head of the run, written to ``run.json`` at once.
        rank: Process of a distributed training: every rank writes its own parts, rank 0 ``run.json`` and rank N ``run-r<N>.json``.
        flush_steps: A part is written after so many appended steps,
        flush_seconds: or after so many seconds, whichever comes first.

    Raises:
        RunTaken: Another run lives there.
        CannotWrite: The place cannot be written.

    Attributes:
        location: As given.
        problems: One sentence for each kind of trouble met so far.

    Limits:
        A kill -9 loses what was appended since the last flush. Power loss was not looked at: nothing is fsynced.
        In a forked child every method does nothing.

    Example:
        >>> writer = RunWriter("memory://doctest/writer", RunInfo(id="writer"))
        >>> writer.append(1, {"loss": 0.5, "gradient_norm/000": 1.0, "gradient_norm/001": 2.0})
        >>> writer.close(reason="finished")
        >>> from kazami.storage import open_run
        >>> open_run("memory://doctest/writer").series()["gradient_norm"].latest.tolist()
        [1.0, 2.0]
    """

    def __init__(self, location: str, info: RunInfo, *, rank: int = 0, flush_steps: int = 200, flush_seconds: float = 2.0) -> None:
        self.location = location
        self.problems: list[str] = []
        self._kinds: set[str] = set()
        self._info = info
        self._rank = rank
        self._flush_steps = max(flush_steps, 1)
        self._flush_seconds = flush_seconds
        self._store = claimed(location, info, rank)
        self._metrics = MetricParts(self._store, rank, self._note)
        self._trajectory = TrajectoryParts(self._store, rank, self._note)
        self._distributions = TrajectoryParts(self._store, rank, self._note, DISTRIBUTIONS)
        self._events = EventLines(self._store, rank)
        self._tail = LiveTail(self._store.root if self._store.is_local and rank == 0 else None)
        self._changes: dict[str, Any] = {}
        self._n_rows = 0
        self._n_given = 0
        self._written_at = time.monotonic()
        self._pid = os.getpid()
        self._is_closed = False
        self._deadline = 0.0
        self._is_paused = False
        self._last_request: SimpleQueue[None] = SimpleQueue()
        self._requests: SimpleQueue[_Request] = SimpleQueue()  # unlike Event and Queue it may be used from a signal handler at any instant
        self._busy = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="kazami-writer", daemon=True)
        self._thread.start()
        _WRITERS.add(self)
        atexit.register(self.close)

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Record the numbers of one step, to be written soon; takes microseconds and never raises.

        Args:
            step: Optimizer step; the first is 1.
            values: Number by name; ``"quantity/003"`` is the quantity of layer 3.
        """
        if self._is_closed or os.getpid() != self._pid:
            return
        try:
            if self._n_given - self._metrics.n_taken > MOST_WAITING:
                self._note("behind", f"Numbers from step {step} on were dropped, because {self.location} does not answer.")
                return
            row = dict(values)
            self._metrics.rows.append((int(step), row))
            self._tail.add(int(step), row)
        except Exception as error:
            self._note("append", f"The numbers of a step were not recorded ({type(error).__name__}: {error}).")
            return
        self._n_given += len(row) + 4  # 4: the row itself costs memory too
        self._n_rows += 1
        if self._n_rows % self._flush_steps == 0:
            self._requests.put(None)

    def append_trajectory(self, step: int, tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Record whole tensors of one step (they are copied); steps must rise. Never raises."""
        if self._is_closed or os.getpid() != self._pid:
            return
        try:
            if self._trajectory.add(int(step), tensors) > TRAJECTORY_FLUSH:
                self._requests.put(None)
        except Exception as error:
            self._note("append_trajectory", f"The tensors of a step were not recorded ({type(error).__name__}: {error}).")

    def append_distributions(self, step: int, tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Record the histograms of one step, as `Distributions` reads them; steps must rise. Never raises."""
        if self._is_closed or os.getpid() != self._pid:
            return
        try:
            self._distributions.add(int(step), tensors)
        except Exception as error:
            self._note("append_distributions", f"The distributions of a step were not recorded ({type(error).__name__}: {error}).")

    def event(self, kind: str, step: int, data: Mapping[str, Any]) -> None:
        """Append one line to ``events.jsonl``: at once on a local disk, at the next flush elsewhere. Never raises."""
        if self._is_closed or os.getpid() != self._pid:
            return
        try:
            self._events.add(dumps({"kind": kind, "step": int(step), "time": time.time(), "data": data}))
            if self._store.is_local:
                self._events.write()
        except Exception as error:
            self._report(error)

    def update(self, **changes: Any) -> None:
        """Change fields of the `RunInfo`; ``run.json`` follows at the next flush. Never raises; a field that does not exist is named in ``problems``."""
        if self._is_closed or os.getpid() != self._pid:
            return
        for name, value in changes.items():
            try:
                replace(self._info, **{name: value})
                self._changes[name] = plain(value)  # a copy: the caller may go on changing it
            except Exception as error:
                self._note(f"update {name}", f"run.json cannot take {name} ({type(error).__name__}: {error}).")

    def maybe_flush(self) -> None:
        """Ask for a flush if one is due; does not wait. The writer thread also wakes by itself."""
        if not self._is_closed and os.getpid() == self._pid and time.monotonic() - self._written_at >= self._flush_seconds:
            self._requests.put(None)

    def flush(self) -> None:
        """Have everything written, and wait until it is (at most 10 seconds). Never raises."""
        if self._is_closed or os.getpid() != self._pid:
            return
        answer: SimpleQueue[None] = SimpleQueue()
        self._requests.put(answer)
        self._wait_for(answer, time.monotonic() + PATIENCE_SECONDS)

    def close(self, **changes: Any) -> None:
        """Write everything, with the last changes of the `RunInfo`, and stop; waits at most 10 seconds. Never raises; a second call changes nothing."""
        if os.getpid() != self._pid:
            return
        if not self._is_closed:
            self.update(**changes)
            self._is_closed = True
            self._deadline = time.monotonic() + PATIENCE_SECONDS
            self._requests.put(self._last_request)
        self._wait_for(self._last_request, self._deadline)  # also in a second call: the first may have been interrupted here
        _WRITERS.discard(self)
        atexit.unregister(self.close)

    def _work(self) -> None:
        request: _Request = None
        while request is not self._last_request:
            wakes_at = time.monotonic() + self._flush_seconds
            request, is_due = self._next_request(wakes_at)
            while not is_due:
                with self._busy:
                    self._try(self._tail.write_if_due)
                request, is_due = self._next_request(wakes_at)
            with self._busy:
                self._write_all(is_asked=request is not None, is_last=request is self._last_request)
            self._written_at = time.monotonic()
            if request is not None:
                request.put(None)

    def _next_request(self, wakes_at: float) -> tuple[_Request, bool]:
        """Wait for a request, for the time of the next flush or for that of the live tail; return the request, and whether to flush now."""
        left = wakes_at - time.monotonic()
        try:
            return self._requests.get(timeout=max(min(left, self._tail.patience()), 0.001)), True
        except Empty:
            return None, time.monotonic() >= wakes_at

    def _write_all(self, *, is_asked: bool, is_last: bool) -> None:
        kept = [parts.write if is_asked else parts.write_if_due for parts in (self._trajectory, self._distributions)]
        tasks = [self._tail.write_if_due, self._write_rows, self._metrics.compact, *kept, self._events.write, self._write_head]
        for task in [*tasks, self._metrics.tidy, self._tail.end] if is_last else tasks:
            self._try(task)

    def _write_rows(self) -> None:
        newest = self._tail.newest
        self._metrics.write()
        self._tail.forget(newest)

    def _try(self, task: Callable[[], object]) -> None:
        try:
            task()
        except Exception as error:  # the training must not notice
            self._report(error)

    def _write_head(self) -> None:
        changes = dict(self._changes)
        if not changes:
            return
        info = replace(self._info, **changes)
        self._store.put(head_name(self._rank), head_bytes(info))
        self._info = info
        for name, value in changes.items():
            if self._changes.get(name) is value:  # else it was changed again meanwhile
                del self._changes[name]

    def _report(self, error: Exception) -> None:
        found = trouble(error, self.location)
        self._note(found.kind, found.while_writing())

    def _wait_for(self, answer: SimpleQueue[None], deadline: float) -> None:
        try:
            answer.get(timeout=max(deadline - time.monotonic(), 0.0))
            answer.put(None)  # for whoever asks again
        except Empty:
            self._note("slow", f"{self.location} did not take everything within {PATIENCE_SECONDS:.0f} seconds; the last numbers may be missing.")

    def _note(self, kind: str, sentence: str) -> None:
        if kind not in self._kinds:
            self._kinds.add(kind)
            self.problems.append(sentence)

    def _pause(self) -> None:
        if self._busy.acquire(timeout=FORK_PATIENCE_SECONDS):
            self._is_paused = True

    def _resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._busy.release()


_WRITERS: "weakref.WeakSet[RunWriter]" = weakref.WeakSet()


def _pause_all() -> None:
    """Let writers finish what they write: a child that is forked meanwhile would inherit locks that nobody ever releases."""
    for writer in list(_WRITERS):
        writer._pause()


def _resume_all() -> None:
    for writer in list(_WRITERS):
        writer._resume()


if sys.platform != "win32":
    os.register_at_fork(before=_pause_all, after_in_parent=_resume_all, after_in_child=_resume_all)
