"""The writing side of the long table: rows wait, become parts, and small parts become large ones."""

from collections import deque
from collections.abc import Callable
from typing import Any

import pyarrow.compute as pc

from .location import METRICS
from .parts import Part, PartName, Row, encoded, joined, without_older
from .store import Store

MERGE_AT = 32  # parts of one level: a day of parts every 2 seconds ends as about 100 files
LARGEST_MERGE = 32 * 2**20  # bytes on disk: a merge takes about ten times as much memory, in the user's process
MOST_UNWRITTEN = 128 * 2**20  # bytes in memory while the disk is full

Report = Callable[[str, str], None]


class MetricParts:
    """Writes the parts of one rank. All methods are called by the writer thread alone; `rows` is filled by others.

    Args:
        store: The run directory.
        rank: Goes into the names.
        report: Is told the kind and the sentence of what was lost.
    """

    def __init__(self, store: Store, rank: int, report: Report) -> None:
        self.rows: deque[Row] = deque()
        self.n_taken = 0
        self._store = store
        self._rank = rank
        self._report = report
        self._unwritten: list[Any] = []
        self._order = 0
        self._levels: list[list[str]] = [[]]
        self._sizes: dict[str, int] = {}
        self._superseded: list[str] = []

    def write(self) -> None:
        """Write everything that waits; on failure it waits on."""
        rows = self._take()
        if rows:
            table, refused = encoded(rows)
            self._unwritten += [table] if table.num_rows else []
            self._report_refused(refused)
        try:
            while self._unwritten:  # one by one: while the disk is full, an attempt costs no more than one part
                self._put(self._unwritten[0])
                self._unwritten.pop(0)
        finally:
            self._forget_the_oldest()

    def compact(self) -> None:
        """Merge the parts of one full level, then delete what the previous merge superseded; at most one merge a flush, so that readers have time."""
        for level, names in enumerate(self._levels):
            if len(names) < MERGE_AT:
                continue
            if sum(self._sizes[name] for name in names) > LARGEST_MERGE:
                names.clear()  # large enough: they stay as they are
                continue
            self._merge(level)
            return

    def tidy(self) -> None:
        """Delete what was superseded: at the end of a run no row is there twice."""
        while self._superseded:
            self._store.delete(f"{METRICS}/{self._superseded[-1]}")
            self._superseded.pop()

    def _take(self) -> list[Row]:
        rows = [self.rows.popleft() for _ in range(len(self.rows))]
        self.n_taken += sum(len(row) + 4 for _, row in rows)
        return rows

    def _put(self, table: Any) -> None:
        name = self._name(table)
        part = Part(table, order=self._next_order())
        if name in self._sizes:  # the same steps once more: one file holds both
            older = self._read(name)
            part = part if older is None else Part(without_older(joined([older.table, table])), part.order, older.supersedes)
        self._store_part(name, part)
        if not any(name in names for names in self._levels):
            self._levels[0].append(name)

    def _merge(self, level: int) -> None:
        parts = self._readable(self._levels[level])
        self._levels[level] = list(parts)
        if not parts:
            return
        merged = self._name(joined(part.table for part in parts.values()))
        if merged in self._sizes:  # of another level, with just this range: it is merged too, since its name is needed
            parts |= self._readable([merged])
        in_order = sorted(parts.values(), key=lambda part: part.order)
        gone = [name for name in parts if name != merged]
        self._store_part(merged, Part(without_older(joined(part.table for part in in_order)), in_order[-1].order, tuple(gone)))
        self._move_up(merged, gone, level)
        self.tidy()
        self._superseded = gone

    def _move_up(self, merged: str, gone: list[str], level: int) -> None:
        self._levels = [[name for name in names if name not in {merged, *gone}] for names in self._levels]
        self._levels += [[]] if level + 1 == len(self._levels) else []
        self._levels[level + 1].append(merged)
        for name in gone:
            del self._sizes[name]

    def _readable(self, names: list[str]) -> dict[str, Part]:
        read = {name: self._read(name) for name in names}
        return {name: part for name, part in read.items() if part is not None}

    def _read(self, name: str) -> Part | None:
        try:
            return Part.from_bytes(self._store.read(f"{METRICS}/{name}"))
        except (FileNotFoundError, ValueError):  # somebody else deleted or damaged it: go on without it
            return None

    def _store_part(self, name: str, part: Part) -> None:
        content = part.to_bytes()
        self._store.put(f"{METRICS}/{name}", content)
        self._sizes[name] = len(content)

    def _name(self, table: Any) -> str:
        span = pc.min_max(table["step"])
        return str(PartName(span["min"].as_py(), span["max"].as_py(), self._rank))

    def _next_order(self) -> int:
        self._order += 1
        return self._order

    def _report_refused(self, names: list[str]) -> None:
        if names:
            self._report("refused", f"Not a number, and therefore not recorded: {', '.join(sorted(set(names))[:5])}.")

    def _forget_the_oldest(self) -> None:
        while len(self._unwritten) > 1 and sum(table.nbytes for table in self._unwritten) > MOST_UNWRITTEN:
            first = self._unwritten.pop(0)
            steps = f"{pc.min(first['step'])} to {pc.max(first['step'])}"
            self._report("lost", f"Numbers of steps {steps} were dropped, because nothing could be written for too long; later ones may be missing too.")
