"""events.jsonl: what happened, one JSON object a line."""

import errno
import threading
from collections import deque
from typing import Any

from .store import Store
from .strict_json import loads


def events_name(rank: int) -> str:
    """Return the file of a rank: ``events.jsonl``, or ``events-r<rank>.jsonl`` for every rank but 0."""
    return f"events-r{rank}.jsonl" if rank else "events.jsonl"


class EventLines:
    """Appends lines to the file of one rank, each with one write; what could not be written waits.

    Args:
        store: The run directory. One that cannot append (an object store) gets the whole file anew.
        rank: Goes into the name.
    """

    def __init__(self, store: Store, rank: int) -> None:
        self._store = store
        self._name = events_name(rank)
        self._waiting: deque[bytes] = deque()
        self._written: list[bytes] = []
        self._is_torn = False
        self._lock = threading.Lock()

    def add(self, line: str) -> None:
        """Queue a line, given without its end."""
        self._waiting.append(line.encode() + b"\n")

    def write(self) -> None:
        """Write what waits, from any thread; if another thread is at it, it does this thread's work too."""
        if not self._lock.acquire(blocking=False):  # never wait: a signal handler may have interrupted the very owner of the lock
            return
        try:
            self._write_all()
        finally:
            self._lock.release()

    def _write_all(self) -> None:
        if self._store.is_local:
            while self._waiting:
                self._append(self._waiting[0])
                self._waiting.popleft()
        elif self._waiting:
            lines = [*self._written, *self._waiting]
            self._store.put(self._name, b"".join(lines))
            for _ in range(len(lines) - len(self._written)):
                self._waiting.popleft()
            self._written = lines

    def _append(self, line: bytes) -> None:
        whole = b"\n" + line if self._is_torn else line
        arrived = self._store.append(self._name, whole)
        self._is_torn = arrived < len(whole) and (arrived > 0 or self._is_torn)
        if arrived < len(whole):
            raise OSError(errno.ENOSPC, "only a part of the line could be written")


def read_events(content: bytes) -> tuple[list[dict[str, Any]], int]:
    """Return the events of a file and how many lines could not be read, without a torn last one.

    Example:
        >>> read_events(b'{"kind": "finding"}\\n{"kind": "sk')
        ([{'kind': 'finding'}], 0)
    """
    *lines, last = content.split(b"\n")
    events: list[dict[str, Any]] = []
    n_bad = 0
    for line in lines:
        event = _event(line)
        n_bad += event is None and bool(line.strip())
        events += [event] if event is not None else []
    unfinished = _event(last)  # without its line end: whole only if it is an object
    return [*events, *([unfinished] if unfinished is not None else [])], n_bad


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        value = loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
