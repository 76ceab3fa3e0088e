"""The line from the training to one sink: a queue that never blocks, a daemon thread that empties it, and a limit on what the sink may cost."""

import os
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from ..records.finding import Sentence
from ._base import AbstractSink

if TYPE_CHECKING:
    from ..records.finding import Finding

MOST_WAITING = 200_000  # numbers; a Python float in a dict is about 100 bytes, so 20 MB
SHARE = 0.02  # of a run's time that one sink may compute: its thread takes turns with the training's
ALLOWANCE_S = 0.5  # what it may compute in short runs
LONGEST_WAIT_S = 30.0  # for all that is still waiting when a run ends
TICK_S = 0.02
HELD_UP_S = 0.5  # a tick that took longer was one of a machine that let nobody run
MOST_SAID = 200  # characters of a stranger's error message


class Feed:
    """Feeds one sink. No method blocks, but `finish`, which waits for a limited time; in a process that the script forked all do nothing.

    Args:
        sink: The sink.
        warn: Gets one sentence, at most once.
    """

    def __init__(self, sink: AbstractSink, warn: Callable[[Sentence], None]) -> None:
        self.sink = sink
        self.n_dropped = 0
        self._warn = warn
        self._owner = os.getpid()
        self._queue: SimpleQueue[tuple[str, tuple[Any, ...]]] = SimpleQueue()  # its put takes no lock of Python's, so that a fork leaves none behind
        self._thread: threading.Thread | None = None
        self._n_put = 0  # written by the training alone
        self._n_taken = 0  # written by the sink's thread alone
        self._spent = 0.0
        self._began = time.monotonic()
        self._moved_at = self._began
        self._newest: tuple[int, dict[str, float]] | None = None
        self._has_warned = threading.Lock()  # taken once and for all by the first that warns
        self._is_off = False
        self._done = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether it still takes anything."""
        return not self._is_off and os.getpid() == self._owner

    def log(self, step: int, values: dict[str, float]) -> None:
        """Offer the numbers of one step; they are left out while the sink has used its share of the time, and dropped while too much is waiting."""
        if not self.is_open:
            return
        if self._spent > ALLOWANCE_S + SHARE * (time.monotonic() - self._began):
            self._newest = (step, values)
            return
        self._newest = None
        if self._n_put - self._n_taken + len(values) > MOST_WAITING:
            self.n_dropped += 1
            self._complain(f"it does not keep up, so numbers are dropped from step {step} on", f"処理が追いつかないため、ステップ {step} 以降の数値を捨てます")
            return
        self._put("log", step, values, weight=len(values))

    def finding(self, step: int, finding: "Finding") -> None:
        """Hand over a finding."""
        if self.is_open:
            self._put("finding", step, finding, weight=1)

    def artifact(self, path: str) -> None:
        """Hand over a file, after the newest numbers."""
        if self.is_open:
            self._last_numbers()
            self._put("artifact", path, weight=1)

    def end(self) -> None:
        """Tell the sink that nothing more will come."""
        if os.getpid() != self._owner:
            return
        if not self._is_off:
            self._last_numbers()
        self._put("close", weight=0)
        self._moved_at = time.monotonic()

    def wait(self, until: float) -> None:
        """Wait until the sink has closed, but no longer than ``until`` (monotonic), nor longer than its patience for one call."""
        if os.getpid() != self._owner or self._thread is None:
            return
        computed, now = 0.0, time.monotonic()
        while not self._done.wait(TICK_S):
            last, before = now, computed
            now, computed = time.monotonic(), computed_by(self._thread)
            if computed > before or now - last > HELD_UP_S:  # it is not hung, or had no more of a chance than we
                self._moved_at = now
            if now > until or now - self._moved_at > self.sink.patience_s:
                self._is_off = True
                self._complain(
                    "it did not finish in time, so its last entries may be missing", "時間内に終了しなかったため、最後の記録が欠けている可能性があります"
                )
                return

    def _last_numbers(self) -> None:
        if self._newest is not None:
            step, values = self._newest
            self._newest = None
            self._put("log", step, values, weight=len(values))

    def _put(self, what: str, *arguments: Any, weight: int) -> None:
        self._n_put += weight
        self._queue.put((what, arguments))
        if self._thread is None:
            thread = threading.Thread(target=self._empty, daemon=True, name=f"kazami-sink-{type(self.sink).name}")
            try:
                thread.start()
            except RuntimeError as error:  # no more threads, or the interpreter is ending
                self._is_off = True
                self._complain(f"no thread can be started for it: {error}", f"スレッドを開始できません: {error}")
                return
            self._thread = thread

    def _empty(self) -> None:
        """Run in the sink's thread: call the sink for all that comes, until the end or its first mistake."""
        is_first = True
        while True:
            what, arguments = self._queue.get()
            began = time.thread_time()
            is_well = what == "close" or self._is_off or self._called(what, *arguments)
            if what == "close" or not is_well:
                break
            self._n_taken += len(arguments[1]) if what == "log" else 1
            self._spent += 0.0 if is_first else time.thread_time() - began  # the first call imports and opens: that is paid once
            self._moved_at = time.monotonic()
            is_first = False
        self._called("close")
        self._is_off = True
        self._done.set()

    def _called(self, what: str, *arguments: Any) -> bool:
        try:
            getattr(self.sink, what)(*arguments)
        except BaseException as error:  # a stranger's code, in a thread of ours: nothing may come out of it
            self._is_off = True
            said = shorten(str(error), MOST_SAID, placeholder=" …")
            text = f"{type(error).__name__}{': ' + said if said else ''}"
            self._complain(text, text)
            return False
        return True

    def _complain(self, why: str, why_ja: str) -> None:
        if not self._has_warned.acquire(blocking=False):
            return
        name = type(self.sink).name or type(self.sink).__name__
        en = f'The sink "{name}" got into trouble ({why}). The training goes on without it.'
        ja = f"出力先「{name}」で問題が起きました（{why_ja}）。学習はそのまま続きます。"
        try:
            self._warn(Sentence(en, ja))
        except BaseException:  # warnings may be errors here, and stderr may be gone
            return


def computed_by(thread: threading.Thread) -> float:
    """Return how many seconds a living thread has computed, 0 where the system does not tell."""
    if sys.platform == "win32" or sys.platform == "darwin" or thread.ident is None or not thread.is_alive():
        return 0.0
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    except OSError:
        return 0.0


def finish(feeds: list[Feed], longest_s: float = LONGEST_WAIT_S) -> None:
    """End all feeds at the same time and wait for them."""
    for feed in feeds:
        feed.end()
    until = time.monotonic() + longest_s
    for feed in feeds:
        feed.wait(until)
