"""The computations of the wind tunnel: at most two processes beside the server, one computation for each page, cancelled at once, nothing lost."""

import contextlib
import math
import os
import pickle
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import IO, Final, Literal

from ..errors import unknown_name
from ..records.finding import Sentence
from .house import AbstractClosing
from .refusals import BadRequest, Busy, NotHere
from .tunnel_presets import TILES, TILES_AT, TUNNELS
from .wire_tunnel import JobPart, JobState, TunnelWish

MOST_WORKERS = 2
MOST_JOBS = 16  # kept, finished ones included
LONGEST = 600.0  # seconds of one computation
ABANDONED = 30.0  # seconds without anybody asking how it goes
IDLE = 300.0  # seconds after which an idle process ends
LIMITS: Final = {
    "members": 4000,
    "keep": 2000,
    "transient": 20_000,
    "rows": 256,
    "steps_two_weights": 20_000_000,  # members times steps: some ten seconds each
    "steps_others": 2_000_000,
    "pixels": 256 * 256,
    "tiles": 16,
    "rates": 64,
}
CLIENT = re.compile(r"[A-Za-z0-9_-]{4,64}")
ENDS: Final = (1e-6, 1e8)  # of the axes of a map of trainability
TOO_LONG = Sentence(
    f"It was ended after {LONGEST:.0f} s. What is there stays; ask for less.",
    f"{LONGEST:.0f} 秒で打ち切りました。ここまでの結果は残っています。範囲や数を減らしてください。",
)
DIED = Sentence(
    "The computing process ended (perhaps for lack of memory). Ask for less.", "計算プロセスが終了しました（メモリ不足の可能性）。範囲や数を減らしてください。"
)

Status = Literal["starting", "running", "done", "cancelled", "failed"]


def checked(wish: TunnelWish) -> TunnelWish:
    """Return the wish if every number in it is within bounds.

    Raises:
        UnknownName: There is no such preset.
        UsageError: A number is out of bounds; the sentence says which.
    """
    if not CLIENT.fullmatch(wish.client):
        raise BadRequest("client should be 4 to 64 letters or digits.", "client は英数字 4 〜 64 文字にしてください。")
    for name in ("members", "keep", "transient", "rows"):
        _within(name, getattr(wish, name), 0 if name == "transient" else 2, LIMITS[name])
    _within("tiles", len(wish.tiles), 1 if wish.kind == "tiles" else 0, LIMITS["tiles"])
    _within("rates", len(wish.rates), 1 if wish.kind == "names" else 0, LIMITS["rates"])
    if wish.kind == "tiles":
        if any(len(tile) != 3 for tile in wish.tiles):
            raise BadRequest("A tile should be its level, column and row.", "タイルは段・列・行の 3 つの数で指定してください。")
        for z, x, y in wish.tiles:
            _within("z", z, 0, TILES.deepest)
            _within("x", x, 0, 2**z - 1)
            _within("y", y, 0, 2**z - 1)
        return wish
    if wish.kind == "trainability":
        for name in ("low", "high", "y_low", "y_high"):
            _within(name, getattr(wish, name), *ENDS)
        _rising(wish.low, wish.high, "low", "high")
        _rising(wish.y_low, wish.y_high, "y_low", "y_high")
        _within("rows", wish.rows, 8, LIMITS["rows"])
        return wish
    if wish.preset not in TUNNELS:
        raise unknown_name("preset", wish.preset, TUNNELS)
    preset = TUNNELS[wish.preset].preset
    for rate in wish.rates:
        _within("rates", rate, preset.least, preset.most)
    for name in {"orbit": ("at",), "names": ()}.get(wish.kind, ("low", "high")):
        _within(name, getattr(wish, name), preset.least, preset.most)
    if wish.kind in ("diagram", "regimes"):
        _rising(wish.low, wish.high, "low", "high")
    reach = (0, 10_000) if preset.is_whole else (-100.0, 100.0)
    for name, value in (("second", wish.second), ("y_low", wish.y_low), ("y_high", wish.y_high)):
        if value is not None and (name == "second" or wish.kind == "regimes"):
            _within(name, value, *reach)
    runs = {"diagram": wish.members, "regimes": wish.members * wish.rows, "orbit": 8, "names": 8 * len(wish.rates)}[wish.kind]
    if wish.kind == "regimes":
        _rising(wish.y_low, wish.y_high, "y_low", "y_high")
    _within("runs × steps", runs * (wish.transient + wish.keep), 0, LIMITS["steps_two_weights" if wish.preset == "two_weights" else "steps_others"])
    return wish


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise BadRequest(f"{name} should be between {low:g} and {high:g}, but is {value:g}.", f"{name} は {low:g}〜{high:g} の範囲です（今は {value:g}）。")


def _rising(low: float, high: float, first: str, second: str) -> None:
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        raise BadRequest(
            f"{second} should be larger than {first}, but they are {high:g} and {low:g}.",
            f"{second} は {first} より大きくしてください（今は {high:g} と {low:g}）。",
        )


def _runs(wish: TunnelWish) -> int:
    """Return how many trainings a wish asks for, before the first step is heard of."""
    return {
        "diagram": wish.members,
        "regimes": wish.members * wish.rows,
        "orbit": 1,
        "trainability": wish.rows**2,
        "tiles": len(wish.tiles) * TILES.side**2,
        "names": len(wish.rates),
    }[wish.kind]


@dataclass(eq=False, slots=True)
class Job:
    """A computation, and what it has found so far."""

    name: str
    wish: TunnelWish
    state: Status = "starting"
    done: int = 0
    total: int = 0
    parts: list[JobPart] = field(default_factory=list)
    problem: Sentence | None = None
    began: float = field(default_factory=time.monotonic)
    ran: float | None = None  # when the first step was heard of
    ended: float | None = None
    asked: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "cancelled", "failed")

    def seen_after(self, position: int) -> JobState:
        """Return how it stands, with the parts after a position."""
        now = self.ended if self.ended is not None else time.monotonic()
        left = math.nan
        if self.state == "running" and self.ran is not None and self.done:
            left = (now - self.ran) * (self.total - self.done) / self.done
        parts = tuple(self.parts[max(position, 0) :])
        return JobState(self.name, self.wish.kind, self.state, self.done, self.total, round(now - self.began, 2), left, len(self.parts), parts, self.problem)


class Worker:
    """A process that computes, one wish after the other."""

    def __init__(self, tiles: str) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", TILES_AT: tiles}
        command = [sys.executable, "-m", f"{__package__}.tunnel_worker"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True)
        self.job: Job | None = None
        self.since = time.monotonic()

    @property
    def answers(self) -> IO[bytes]:
        """Where it answers."""
        if self._process.stdout is None:
            raise RuntimeError("A worker has a pipe.")
        return self._process.stdout

    @property
    def is_alive(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def send(self, wish: TunnelWish) -> None:
        """Hand over a wish; whether it arrived is heard from the answers."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                pickle.dump(wish, self._process.stdin)
                self._process.stdin.flush()

    def end(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class Tunnelling(AbstractClosing):
    """All computations of a server."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._workers: list[Worker] = []
        self._lock = threading.RLock()
        self._tiles = tempfile.TemporaryDirectory(prefix="kazami-tiles-", ignore_cleanup_errors=True)
        self._is_closed = threading.Event()
        threading.Thread(target=self._watch, daemon=True, name="kazami-tunnel").start()

    def warm_up(self) -> None:
        """Have a process ready, so that the first picture is not late."""
        with self._lock:
            if not self._workers and not self._is_closed.is_set():
                self._workers.append(Worker(self._tiles.name))

    def start(self, wish: TunnelWish) -> JobState:
        """Begin a computation.

        Raises:
            UsageError: A number is out of bounds.
            Busy: This client has a computation under way, or all processes have.
        """
        checked(wish)
        with self._lock:
            if self._is_closed.is_set():
                raise Busy("The server is ending.", "サーバーは終了するところです。")
            if any(worker.job is not None and worker.job.wish.client == wish.client for worker in self._workers):
                raise Busy(
                    "This page has a computation under way. Wait for it, or cancel it.", "このページの計算が進行中です。終わるまで待つか、中止してください。"
                )
            worker = self._free()
            job = Job(secrets.token_hex(8), wish, total=_runs(wish))
            self._jobs[job.name], worker.job = job, job
            while len(self._jobs) > MOST_JOBS:
                oldest = next(name for name, one in self._jobs.items() if one.is_over)
                del self._jobs[oldest]
        worker.send(wish)
        threading.Thread(target=self._listen, args=(worker, job), daemon=True, name=f"kazami-tunnel-{job.name}").start()
        return job.seen_after(0)

    def _free(self) -> Worker:
        """Return a worker that has nothing to do."""
        for worker in [one for one in self._workers if one.job is None and not one.is_alive]:
            self._drop(worker)
        for worker in self._workers:
            if worker.job is None:
                return worker
        if len(self._workers) >= MOST_WORKERS:
            raise Busy(
                f"{MOST_WORKERS} computations are under way on this server. Try again in a moment.",
                f"このサーバーでは {MOST_WORKERS} 件の計算が進行中です。少し待ってからもう一度お試しください。",
            )
        self._workers.append(Worker(self._tiles.name))
        return self._workers[-1]

    def look(self, name: str, position: int = 0) -> JobState:
        """Return how a computation stands, with the parts after a position.

        Raises:
            RunNotFound: There is none of this name.
        """
        job = self._job(name)
        job.asked = time.monotonic()
        with self._lock:
            return job.seen_after(position)

    def cancel(self, name: str) -> JobState:
        """End a computation at once; what it found stays."""
        job = self._job(name)
        self._end(job, "cancelled", None)
        return job.seen_after(len(job.parts))

    def close(self) -> None:
        """End all processes."""
        self._is_closed.set()
        with self._lock:
            for worker in list(self._workers):
                if worker.job is not None:
                    self._end(worker.job, "cancelled", None)
                else:
                    self._drop(worker)
        self._tiles.cleanup()

    def _job(self, name: str) -> Job:
        with self._lock:
            if name not in self._jobs:
                raise NotHere("This computation is no longer here. Begin it again.", "この計算はもうありません。もう一度始めてください。")
            return self._jobs[name]

    def _end(self, job: Job, state: Status, problem: Sentence | None) -> None:
        """End a computation that is under way, and its process with it."""
        with self._lock:
            if job.is_over:
                return
            job.state, job.problem, job.ended = state, problem, time.monotonic()
            for worker in [one for one in self._workers if one.job is job]:
                self._drop(worker)

    def _drop(self, worker: Worker) -> None:
        self._workers.remove(worker)
        worker.job = None
        worker.end()

    def _listen(self, worker: Worker, job: Job) -> None:
        """Write down what the process says until it is done with this wish."""
        try:
            while self._heard(worker, job, pickle.load(worker.answers)):
                pass
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self._end(job, "failed", DIED)

    def _heard(self, worker: Worker, job: Job, message: object) -> bool:
        """Take one message; return whether more will come."""
        with self._lock:
            if job.is_over:
                return False
            if isinstance(message, tuple):
                job.state, job.ran = "running", job.ran if job.ran is not None else time.monotonic()
                job.done, job.total, part = message
                job.parts.extend([part] if part is not None else [])
                return True
            job.state, job.ended = "failed" if isinstance(message, Sentence) else "done", time.monotonic()
            job.problem = message if isinstance(message, Sentence) else None
            worker.job, worker.since = None, time.monotonic()
            return False

    def _watch(self) -> None:
        """End what takes too long, what nobody looks at any more, and processes that have nothing to do."""
        while not self._is_closed.wait(1.0):
            with self._lock:
                for worker in list(self._workers):
                    self._look_after(worker, time.monotonic())

    def _look_after(self, worker: Worker, now: float) -> None:
        job = worker.job
        if job is None:
            if now - worker.since > IDLE:
                self._drop(worker)
        elif now - job.began > LONGEST:
            self._end(job, "cancelled", TOO_LONG)
        elif now - job.asked > ABANDONED:
            self._end(job, "cancelled", None)
