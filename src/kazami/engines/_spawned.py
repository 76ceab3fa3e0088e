"""Processes of this machine: each a fresh Python that is given one item at a time, and replaced when it dies."""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from ..errors import KazamiError
from ._pools import ATTEMPTS, AbstractPool, Failure, parcel
from ._worker import receive, send

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")


class Processes(AbstractPool):
    """A pool of processes.

    Args:
        workers: How many.
        threads: Of each.

    Limits:
        A worker is a fresh Python that knows the path of this one, not its state: what the function needs is in it, in the item, or importable.
    """

    name: ClassVar = "processes"

    def __init__(self, workers: int, threads: int) -> None:
        """No process is started yet; that happens with the first item."""
        self._count, self._threads = workers, threads
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._is_closed = False
        self._supplies: list[_Supply] = []

    @property
    def workers(self) -> int:
        """How many processes there are at most."""
        return self._count

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The operating system's numbers of the processes that live."""
        with self._lock:
            return tuple(process.pid for process in self._running.values() if process.poll() is None)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[int, Result | Failure]]:
        """Yield results as they come; see `AbstractPool.map`."""
        if self._is_closed:
            raise KazamiError("This pool is closed; open another one.")
        if self._supplies:
            raise KazamiError(
                "This pool should be asked for one thing at a time, but it has not finished the last. Go through that to its end, or open another pool."
            )
        supply = _Supply(items)
        self._supplies.append(supply)
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        code = parcel(function)
        threads = [threading.Thread(target=self._keep_busy, args=(place, code, supply, done), daemon=True) for place in range(self._count)]
        for thread in threads:
            thread.start()
        is_finished = False
        try:
            yield from _arriving(done, len(threads))
            is_finished = True
        finally:
            self._supplies.remove(supply)
            if not is_finished:  # left early: what is still running is wanted by nobody
                supply.stop()
                self._kill()

    def close(self) -> None:
        """End the processes."""
        self._is_closed = True
        for supply in self._supplies:
            supply.stop()
        self._kill()

    def _kill(self) -> None:
        with self._lock:
            dying, self._running = list(self._running.values()), {}
        for process in dying:
            process.kill()
        for process in dying:
            process.wait()
            _shut_pipes(process)

    def _keep_busy(self, place: int, code: bytes, supply: "_Supply", done: "queue.SimpleQueue[Any]") -> None:
        """Give the worker at ``place`` one item after another, in a thread of its own."""
        told: subprocess.Popen[bytes] | None = None
        try:
            while (task := supply.next()) is not None:
                process = self._worker(place, supply)
                if process is None:
                    break
                self._give(place, process, task, None if process is told else code, supply, done)
                told = process
        except BaseException as error:
            done.put(error)
        finally:
            done.put(None)

    def _give(self, place: int, process: Any, task: "_Task", code: bytes | None, supply: "_Supply", done: "queue.SimpleQueue[Any]") -> None:
        """Let one worker do one task, after telling it the function if it does not know it yet; take the task back if it dies."""
        try:
            if code is not None:
                send(process.stdin, ("function", (sys.argv, code)))
            send(process.stdin, ("item", task.data))
            is_result, data = receive(process.stdout)
        except (EOFError, OSError, ValueError):
            supply.give_back(task, self._buried(place, process), done)
            return
        done.put((task.index, _opened(data) if is_result else pickle.loads(data)))
        supply.finished()

    def _worker(self, place: int, supply: "_Supply") -> subprocess.Popen[bytes] | None:
        """Return the living worker at ``place``, a new one if need be; ``None`` if nobody waits for results any more."""
        status = ""
        for _ in range(ATTEMPTS):
            with self._lock:
                process = self._running.get(place)
                if supply.is_stopped:
                    return None
                if process is not None and process.poll() is None:
                    return process
                if process is not None:  # it died between two items
                    _shut_pipes(process)
                process = self._running[place] = self._started()
            if self._is_ready(process):
                return process
            status = self._buried(place, process)
        if supply.is_stopped:
            return None
        raise KazamiError(f"A worker process should start, but it ended at once ({status}). What it said is above.")

    def _started(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(dict.fromkeys(os.path.abspath(entry) for entry in sys.path))
        environment = {**os.environ, "PYTHONPATH": path, **dict.fromkeys(THREADS, str(self._threads))}
        command = [sys.executable, "-P", "-c", "from kazami.engines._worker import serve; serve()"]
        # A session of its own: Ctrl-C is for the parent, which then ends its workers.
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True)

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        try:
            return process.stdout is not None and receive(process.stdout) == ("ready",)
        except (EOFError, OSError, ValueError):
            return False

    def _buried(self, place: int, process: subprocess.Popen[bytes]) -> str:
        """Take a dead worker off the list and return how it died."""
        process.kill()
        status = process.wait()
        with self._lock:
            if self._running.get(place) is process:
                del self._running[place]
        _shut_pipes(process)
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"


def _arriving(done: "queue.SimpleQueue[Any]", working: int) -> Iterator[Any]:
    """Yield what arrives until as many threads as there are ``working`` have said that they are done."""
    while working:
        found = done.get()
        if isinstance(found, BaseException):
            raise found
        if found is None:
            working -= 1
        else:
            yield found


class _Task:
    def __init__(self, index: int, data: bytes) -> None:
        self.index, self.data, self.deaths = index, data, 0


class _Supply:
    """The items still to be done, and those in the hands of workers, which may come back."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = enumerate(items)
        self._back: list[_Task] = []
        self._out = 0
        self._is_empty = self.is_stopped = False
        self._changed = threading.Condition()

    def next(self) -> _Task | None:
        """Return the next task, after waiting for those that may still come back; ``None`` when all are done."""
        with self._changed:
            while not self.is_stopped:
                if (task := self._drawn()) is not None:
                    self._out += 1
                    return task
                if not self._out:
                    self._changed.notify_all()
                    return None
                self._changed.wait()
            return None

    def _drawn(self) -> _Task | None:
        if self._back:
            return self._back.pop()
        drawn = None if self._is_empty else next(self._items, None)
        self._is_empty = drawn is None
        return None if drawn is None else _Task(drawn[0], parcel(drawn[1]))

    def finished(self) -> None:
        with self._changed:
            self._out -= 1
            self._changed.notify_all()

    def give_back(self, task: _Task, status: str, done: "queue.SimpleQueue[Any]") -> None:
        """Take back what a worker had when it died; after some deaths it counts as failed."""
        task.deaths += 1
        with self._changed:
            self._out -= 1
            if task.deaths < ATTEMPTS:
                self._back.append(task)
            else:
                text = (
                    f"Its worker died {task.deaths} times, the last one {status}. If the system killed it, memory was short: ask for fewer members at a time."
                )
                done.put((task.index, Failure("WorkerLost", text, is_lost=True)))
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._is_empty = self.is_stopped = True
            self._changed.notify_all()


def _opened(data: bytes) -> Any:
    try:
        return pickle.loads(data)
    except Exception as error:
        return Failure.of(error)


def _shut_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # a broken pipe has something to flush
                pipe.close()
