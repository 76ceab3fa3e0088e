"""The live tail: the newest rows of a run, one line a step, for whoever watches it being written; it is there only while somebody asks for it."""

import json
import os
import re
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAIL, WANTED = "live.jsonl", "live.wanted"
PERIOD = 0.1  # seconds between two writes
LOOK = 0.5  # seconds between two looks whether somebody watches
FRESH = 10.0  # seconds for which a wish counts
MOST_BYTES = 4 * 2**20
MOST_ROWS = 5_000
_LAYER = re.compile(r"(.+)/(\d{3,6})")

Row = tuple[int, Mapping[str, float]]
Values = dict[str, float | list[float]]


class LiveTail:
    """Writes the newest rows of a run into ``live.jsonl`` while ``live.wanted`` is fresh; any thread may add, one thread writes.

    Args:
        folder: The run directory on a local disk; ``None`` where there is none, and then nothing is ever written.

    Limits:
        Rows that come faster than they are written are dropped here, oldest first, and a line says so: the parts of the run will hold them all.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = Path(folder) if folder is not None else None
        self._rows: deque[Row] = deque(maxlen=MOST_ROWS)
        self._is_wanted = False
        self._looked_at = self._written_at = -1e9
        self._bytes = 0
        self._is_gap = False

    def add(self, step: int, row: Mapping[str, float]) -> None:
        """Remember a row until it is written here or in a part of the run: who begins to watch gets what no part holds yet."""
        if self._folder is not None:
            self._is_gap = self._is_gap or len(self._rows) == MOST_ROWS
            self._rows.append((step, row))

    @property
    def newest(self) -> int:
        """Step of the newest row remembered, 0 where there is none."""
        return self._rows[-1][0] if self._rows else 0

    def forget(self, step: int) -> None:
        """Let go of the rows up to ``step``, which a part now holds; while somebody watches they are written here first."""
        while not self._is_wanted and self._rows and self._rows[0][0] <= step:
            self._rows.popleft()

    def patience(self) -> float:
        """Return for how many seconds the writing thread may sleep before this needs it, infinity where it never will."""
        if self._folder is None:
            return float("inf")
        if not self._is_wanted:
            return max(self._looked_at + LOOK - time.monotonic(), 0.0)
        return max(self._written_at + PERIOD - time.monotonic(), 0.0)

    def write_if_due(self) -> None:
        """Look whether somebody watches, and write what came since the last write."""
        now = time.monotonic()
        if self._folder is None or (now < self._looked_at + LOOK and now < self._written_at + PERIOD):
            return
        if now >= self._looked_at + LOOK:
            self._looked_at = now
            self._look()
        if self._is_wanted and now >= self._written_at + PERIOD:
            self._write()
            self._written_at = now

    def end(self) -> None:
        """Remove the tail: the run is written, and its parts hold everything."""
        if self._folder is not None and (self._is_wanted or self._bytes):
            (self._folder / TAIL).unlink(missing_ok=True)
        self._folder = None

    def _look(self) -> None:
        folder = self._folder
        if folder is None:
            return
        try:
            is_wanted = abs(time.time() - os.stat(folder / WANTED).st_mtime) < FRESH
        except OSError:
            is_wanted = False
        if self._is_wanted and not is_wanted:
            self._bytes = 0
            (folder / TAIL).unlink(missing_ok=True)
            (folder / WANTED).unlink(missing_ok=True)
        self._is_wanted = is_wanted

    def _write(self) -> None:
        folder, rows = self._folder, []
        while self._rows:
            rows.append(self._rows.popleft())
        if folder is None or not rows:
            return
        is_gap, self._is_gap = self._is_gap, False
        content = (b'{"gap":true}\n' if is_gap else b"") + lines(rows)
        if not self._bytes or self._bytes + len(content) > MOST_BYTES:
            fresh = folder / f".{TAIL}.{os.getpid()}.tmp"
            fresh.write_bytes(content)
            fresh.replace(folder / TAIL)
            self._bytes = len(content)
        else:
            with open(folder / TAIL, "ab", buffering=0) as file:
                file.write(content)
            self._bytes += len(content)


def lines(rows: Iterable[Row]) -> bytes:
    r"""Return rows as lines of strict JSON, the layers of a quantity as one list.

    >>> lines([(3, {"loss": 0.5, "wind/000": -1.0, "wind/001": float("nan")})])
    b'[3,{"loss":0.5,"wind":[-1,"NaN"]}]\n'
    """
    return b"".join(_line(step, row) for step, row in rows)


def _line(step: int, row: Mapping[str, float]) -> bytes:
    scalars: list[str] = []
    columns: dict[str, list[str]] = {}
    for name, value in row.items():
        place = _PLACES.get(name) or _place(name)
        text = f"{value:.6g}" if value - value == 0 else _NAMED[str(float(value))]
        if place[1] < 0:
            scalars.append(f"{place[0]}:{text}")
            continue
        column = columns.setdefault(place[0], [])
        column.extend(["null"] * (place[1] + 1 - len(column)))
        column[place[1]] = text
    parts = [*scalars, *(f"{name}:[{','.join(column)}]" for name, column in columns.items())]
    return f"[{step},{{{','.join(parts)}}}]\n".encode()


_NAMED = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}
_PLACES: dict[str, tuple[str, int]] = {}


def _place(name: str) -> tuple[str, int]:
    """Return the quantity of a number as JSON text, and its layer, -1 where it has none; remembered, for a run asks for the same names at every step."""
    match = _LAYER.fullmatch(name)
    place = (json.dumps(name), -1) if match is None else (json.dumps(match[1]), int(match[2]))
    if len(_PLACES) < 100_000:
        _PLACES[name] = place
    return place


@dataclass(frozen=True, slots=True)
class TailRows:
    """What came since the last look.

    Attributes:
        rows: Step and values by quantity; a list holds one value a layer, NaN where it was not measured.
        is_gap: Whether rows may be missing before these, so that the parts must be read.
    """

    rows: list[tuple[int, Values]]
    is_gap: bool


class TailReader:
    """Follows the live tail of a run directory, and asks for it.

    Args:
        folder: The run directory.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._inode = -1
        self._offset = 0
        self._rest = b""
        self._asked_at = -1e9

    def ask(self) -> None:
        """Ask the writer for the tail, now and then; a directory that cannot be written is followed by its parts alone."""
        if time.monotonic() - self._asked_at < FRESH / 4:
            return
        self._asked_at = time.monotonic()
        try:
            (self._folder / WANTED).touch()
        except OSError:
            return

    def forget(self) -> None:
        """Stop asking."""
        try:
            (self._folder / WANTED).unlink(missing_ok=True)
        except OSError:
            return

    def read(self) -> TailRows:
        """Return the rows written since the last call; none where there is no tail."""
        try:
            with open(self._folder / TAIL, "rb") as file:
                state = os.fstat(file.fileno())
                is_new = state.st_ino != self._inode or state.st_size < self._offset
                if is_new:
                    self._inode, self._offset, self._rest = state.st_ino, 0, b""
                file.seek(self._offset)
                content = file.read(2 * MOST_BYTES)
        except OSError:
            self._inode = -1
            return TailRows([], False)
        self._offset += len(content)
        *whole, self._rest = (self._rest + content).split(b"\n")
        parsed = [_parsed(line) for line in whole if line]
        return TailRows([row for row in parsed if row is not None], is_new or any(row is None for row in parsed))


def _parsed(line: bytes) -> tuple[int, Values] | None:
    try:
        step, values = json.loads(line)
        return int(step), {name: [_number(one) for one in value] if isinstance(value, list) else _number(value) for name, value in values.items()}
    except (ValueError, TypeError, AttributeError):
        return None


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)  # float() knows "NaN" and "Infinity"
