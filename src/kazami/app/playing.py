"""The sessions of the playground that the server keeps: few, each behind a lock, the oldest given up for a new one."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from ..playground.landscape_sights import Landscape
from ..playground.sights import Frame
from ..playground.tables import Table
from .refusals import NotHere

if TYPE_CHECKING:
    from ..playground.landscapes import PlaneName
    from ..playground.sessions import Session  # which loads torch: only when somebody plays

MOST_SESSIONS = 8
MOST_TABLES = 8
LONGEST = 0.25  # seconds that one answer may train
_ONE_SURFACE = Lock()
_THREADS = Lock()
_ALONE: list[int] = []  # the number of threads there was, and a 1 for each computation under way


@contextmanager
def one_core() -> Iterator[None]:
    """Compute on one core meanwhile: two threads that wait for each other on busy cores are many times slower, and a training may run beside."""
    import torch

    with _THREADS:
        if not _ALONE:
            _ALONE.append(torch.get_num_threads())
        _ALONE.append(1)
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _THREADS:
            _ALONE.pop()
            if len(_ALONE) == 1:  # the last of those who compute at the same time gives back what the first one found
                torch.set_num_threads(_ALONE.pop())


class Kept:
    """A session and its lock."""

    def __init__(self, session: "Session") -> None:
        self.session = session
        self.lock = Lock()

    def advance(self, steps: int, milliseconds: int) -> Frame:
        """Train until the steps are taken or the time is over, and return what there is to see."""
        deadline = time.monotonic() + min(max(milliseconds, 0) / 1000.0, LONGEST)
        with self.lock, one_core():
            target = self.session.step + max(steps, 0)
            while self.session.step < target and not self.session.is_over:
                self.session.train(min(4, target - self.session.step))
                if time.monotonic() >= deadline:
                    break
            return self.session.frame()

    def landscape(self, plane: "PlaneName") -> Landscape:
        """Return the loss surface around the weights as they are now; the session can go on meanwhile, and one surface is computed at a time."""
        from ..playground.landscapes import ground_of, landscape

        with self.lock:
            ground = ground_of(self.session)
        with _ONE_SURFACE, one_core():
            return landscape(ground, plane)

    def reset(self) -> Frame:
        """Begin anew."""
        with self.lock, one_core():
            self.session.reset()
            return self.session.frame()


class Playing:
    """All sessions and tables of a server."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Kept] = OrderedDict()
        self._tables: OrderedDict[str, Table] = OrderedDict()
        self._lock = Lock()

    def keep(self, session: "Session") -> str:
        """Keep a session and return its name."""
        name = secrets.token_hex(8)
        with self._lock:
            self._sessions[name] = Kept(session)
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return name

    def session(self, name: str) -> Kept:
        """Return a session.

        Raises:
            RunNotFound: It was given up for newer ones, or never was.
        """
        with self._lock:
            if name not in self._sessions:
                raise NotHere(
                    "This session of the playground is over. Press reset to begin it again.",
                    "このプレイグラウンドのセッションは終了しました。リセットで始め直してください。",
                )
            self._sessions.move_to_end(name)
            return self._sessions[name]

    def drop(self, name: str) -> None:
        """Forget a session."""
        with self._lock:
            self._sessions.pop(name, None)

    def keep_table(self, table: Table) -> str:
        """Keep a table and return its name."""
        name = secrets.token_hex(8)
        with self._lock:
            self._tables[name] = table
            while len(self._tables) > MOST_TABLES:
                self._tables.popitem(last=False)
        return name

    def table(self, name: str) -> Table | None:
        """Return a table, ``None`` without a name.

        Raises:
            RunNotFound: It was given up for newer ones, or never was.
        """
        with self._lock:
            if name and name not in self._tables:
                raise NotHere("This table is no longer here. Choose the file again.", "この表はもうありません。ファイルを選び直してください。")
            return self._tables.get(name)
