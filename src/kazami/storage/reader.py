"""open_run: reads a run directory, finished or still being written."""

import difflib
import os
import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import NewerFormat, RunNotFound, RunUnreadable
from ..records import FORMAT_VERSION, Finding, RunInfo, Series, Trace
from .distributions import Distribution, distributions_of
from .events import events_name, read_events
from .location import DISTRIBUTIONS, HEAD, METRICS
from .parts import Part, PartName, columns_of, joined, part_name, without_older
from .proof_file import StoredProof, read_proof
from .store import Store
from .strict_json import loads
from .trace_head import trace_from_head
from .trajectory import Trajectory

REPORT = "report.html"
ATTEMPTS = 100  # listings before giving up on a directory that changes under our hands; two were the most ever needed
_LAYER = re.compile(r"(.+)/(\d{3,6})")
_HEAD_OF_RANK = re.compile(r"run-r([1-9]\d*)\.json")


def open_run(location: str) -> "StoredRun":
    """Return the run stored at ``location``; it may still be being written.

    Args:
        location: Path or fsspec URL of a run directory (its ``run.json`` will do).

    Raises:
        RunNotFound: No run is there.
        RunUnreadable: One is there, but its ``run.json`` cannot be read.
        NewerFormat: It was written by a newer kazami.
    """
    place = location.removesuffix(f"/{HEAD}") if location != HEAD else "."
    try:
        store = Store(place)
        is_there = store.is_file(HEAD)
    except Exception as error:
        raise RunNotFound(f"There is no run at {location}: {type(error).__name__}: {error}.") from None
    if not is_there:
        raise RunNotFound(_what_is_there(store, place))
    return StoredRun(place, store)


class StoredRun:
    """A stored run. Every method reads what is there now, so that a run can be followed while it is written.

    Attributes:
        location: Where it is.
        info: The head of the run as it was when the run was opened; `refresh` reads it again.
        problems: One sentence for everything that could not be read and was left out.

    Limits:
        Series and rows are those of one rank of a distributed training, rank 0 unless another is asked for.
    """

    def __init__(self, location: str, store: Store) -> None:
        self.location = location
        self.problems: list[str] = []
        self._store = store
        self.info: RunInfo = _read_head(store, location)

    def refresh(self) -> RunInfo:
        """Read ``run.json`` again and return it."""
        self.info = _read_head(self._store, self.location)
        return self.info

    @property
    def findings(self) -> list[Finding]:
        """The findings of `info`, most important first."""
        try:
            return [Finding.from_dict(item) for item in self.info.findings]
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            self._note(f"The findings in {HEAD} cannot be read ({type(error).__name__}: {error}).")
            return []

    def ranks(self) -> list[int]:
        """Return the ranks that have written numbers."""
        return sorted({name.rank for name in _listed(self._store)})

    def heads(self) -> dict[int, RunInfo]:
        """Return what each rank tells of itself, in its own ``run-r<rank>.json``; rank 0 in `info`."""
        found = {0: self.info}
        for name in self._store.names():
            match = _HEAD_OF_RANK.fullmatch(name)
            if match is None:
                continue
            try:
                found[int(match[1])] = self._with_newest_step(RunInfo.from_dict(loads(self._store.read(name))), int(match[1]))
            except (OSError, ValueError, TypeError, AttributeError) as error:
                self._note(f"{name} cannot be read and is left out ({type(error).__name__}: {error}).")
        return dict(sorted(found.items()))

    def _with_newest_step(self, info: RunInfo, rank: int) -> RunInfo:
        """Return a head with the steps of the rank's parts, which a rank that was killed has written after its head."""
        return replace(info, steps=max([info.steps, *(name.last for name in _listed(self._store) if name.rank == rank)]))

    def table(self, *, rank: int = 0) -> Any:
        """Return all rows as a ``pyarrow.Table`` (``step``, ``series``, ``value``) in the order of writing.

        Of two values for the same step and series only the newer is there.
        """
        return without_older(self._rows(rank))

    def series(self, *, rank: int = 0, only: Collection[str] | None = None, after: int = 0) -> dict[str, Series]:
        """Return every series by name; ``quantity/000``, ``quantity/001`` … become one of shape ``(n, layers)`` with NaN where a layer was not seen.

        Where a number was recorded twice for the same step, the newer one counts.

        Args:
            rank: Of a distributed training.
            only: Names of the quantities to return; ``None`` for all.
            after: Return what was recorded at later steps than this.
        """
        flat = _flat_series(self._rows(rank, after), only, after)
        columns: dict[str, dict[int, Series]] = {}
        for name in flat:
            match = _LAYER.fullmatch(name)
            if match is not None:
                columns.setdefault(match[1], {})[int(match[2])] = flat[name]
        scalars = {name: series for name, series in flat.items() if _LAYER.fullmatch(name) is None}
        layers = self.info.trace.get("layers")
        n_layers = len(layers) if isinstance(layers, list) else 0
        return {**scalars, **{name: _matrix(found, n_layers) for name, found in columns.items()}}

    def trace(self, *, only: Collection[str] | None = None) -> Trace:
        """Return the trace: what `info` tells of it, and the series, or ``only`` some of them.

        Raises:
            RunUnreadable: The description in ``run.json`` is not as kazami writes it.
        """
        series = self.series(only=only)
        try:
            trace = trace_from_head(self.info.trace, series)
        except ValueError as error:
            raise RunUnreadable(f"{self.location}/{HEAD}: {error}") from None
        newest = max((int(one.steps[-1]) for one in series.values() if len(one)), default=0)
        return trace.replaced(step=max(trace.step, self.info.steps, newest))

    def events(self) -> list[dict[str, Any]]:
        """Return the events (``kind``, ``step``, ``time``, ``data``), oldest first; a torn last line is left out."""
        names = [name for name in self._store.names() if re.fullmatch(r"events(-r\d+)?\.jsonl", name)]
        found: list[dict[str, Any]] = []
        for name in sorted(names, key=lambda name: name != events_name(0)):
            events, n_bad = read_events(self._store.read(name))
            found += events
            if n_bad:
                self._note(f"{name}: {n_bad} lines cannot be read and are left out.")
        return found if len(names) < 2 else sorted(found, key=lambda event: float(event.get("time", 0.0)))

    def trajectory(self, *, rank: int = 0) -> Trajectory:
        """Return the stored tensors: iterate over it, ask for ``[name]`` or for ``at(step)``."""
        return Trajectory(self._store, rank, self.problems)

    def distributions(self, layer: int, *, rank: int = 0) -> dict[str, Distribution]:
        """Return how activations, gradients and weights of one layer are distributed over the recorded steps, by those words; empty for older runs."""
        return distributions_of(Trajectory(self._store, rank, self.problems, DISTRIBUTIONS), layer)

    def proof(self) -> StoredProof | None:
        """Return what ``kazami cure`` found, ``None`` for a run of another command.

        Raises:
            RunUnreadable: ``proof.json`` is there, but not as kazami writes it.
        """
        return read_proof(self._store)

    def report(self) -> str | None:
        """Return the place of the run's HTML report, ``None`` where none was written."""
        return f"{self.location.rstrip('/')}/{REPORT}" if self._store.is_file(REPORT) else None

    def _rows(self, rank: int, after: int = 0) -> Any:
        """Return the rows of the parts that count, in the order of writing, without parts that hold no step after ``after``."""
        read: dict[str, Part | None] = {}
        for _ in range(ATTEMPTS):
            names = [str(name) for name in _listed(self._store) if name.rank == rank and name.last > after]
            if all(self._was_read(name, read) for name in names):
                break
        else:
            self._note(f"{METRICS} changes faster than it can be read; some numbers are left out.")
        good = {name: part for name, part in read.items() if part is not None and name in names}
        superseded = {name for part in good.values() for name in part.supersedes}
        counting = [(name, part) for name, part in good.items() if name not in superseded]
        return joined(part.table for _, part in sorted(counting, key=lambda item: (item[1].order, _span(item[0]))))

    def _was_read(self, name: str, read: dict[str, Part | None]) -> bool:
        if name in read:
            return True
        try:
            read[name] = Part.from_bytes(self._store.read(f"{METRICS}/{name}"))
        except FileNotFoundError:  # merged into a larger part since we listed: list again
            return False
        except (ValueError, OSError) as error:
            read[name] = None
            self._note(f"{METRICS}/{name} cannot be read and is left out ({error}).")
        return True

    def _note(self, sentence: str) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)


def _listed(store: Store) -> list[PartName]:
    names = [part_name(name) for name in store.names(METRICS)]
    return [name for name in names if name is not None and name.ending == "parquet"]


def _span(name: str) -> tuple[int, int]:
    part = part_name(name)
    return (0, 0) if part is None else (part.first, part.last)


def _flat_series(table: Any, only: Collection[str] | None, after: int) -> dict[str, Series]:
    if table.num_rows == 0:
        return {}
    steps, codes, values, names = columns_of(table)
    if only is not None or after > 0:
        is_wanted = np.array([only is None or _LAYER.sub(r"\1", name) in only for name in names])
        kept = np.flatnonzero(is_wanted[codes] & (steps > after))
        steps, codes, values = steps[kept], codes[kept], values[kept]
    width = _width_of_blocks(steps, codes)
    if width:
        return {names[code]: _rising(steps[::width], values[place::width]) for place, code in enumerate(codes[:width])}
    order = np.argsort(codes.astype(np.uint16) if len(names) < 2**16 else codes, kind="stable")  # 16 bits are sorted by radix, ten times as fast
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    groups = {name: order[edges[code] : edges[code + 1]] for code, name in enumerate(names)}
    return {name: _rising(steps[rows], values[rows]) for name, rows in groups.items() if rows.size}


def _width_of_blocks(steps: Any, codes: Any) -> int:
    """Return how many rows each step has if all have the same series in the same order, else 0: a table that need not be sorted."""
    again = np.flatnonzero(codes[1:] == codes[0]) if codes.size else codes
    width = int(again[0]) + 1 if again.size else codes.size
    if width == 0 or codes.size % width:
        return 0
    blocks, at = codes.reshape(-1, width), steps.reshape(-1, width)
    is_even = np.unique(blocks[0]).size == width and np.array_equal(blocks, np.broadcast_to(blocks[0], blocks.shape))
    return width if is_even and np.array_equal(at, np.broadcast_to(at[:, :1], at.shape)) else 0


def _rising(steps: Any, values: Any) -> Series:
    if not np.all(np.diff(steps) > 0):
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
        is_newest = np.append(np.diff(steps) != 0, True)
        steps, values = steps[is_newest], values[is_newest]
    return Series(steps, values)


def _matrix(columns: dict[int, Series], n_layers: int) -> Series:
    first = next(iter(columns.values())).steps
    is_even = all(np.array_equal(column.steps, first) for column in columns.values())
    steps = first if is_even else np.unique(np.concatenate([column.steps for column in columns.values()]))
    values = np.full((steps.size, max(n_layers, max(columns) + 1)), np.nan)
    for layer, column in columns.items():
        values[slice(None) if is_even else np.searchsorted(steps, column.steps), layer] = column.values
    return Series(steps, values)


def _read_head(store: Store, location: str) -> RunInfo:
    try:
        data = loads(store.read(HEAD))
    except FileNotFoundError:
        raise RunNotFound(_what_is_there(store, location)) from None
    except (ValueError, RecursionError) as error:
        raise RunUnreadable(f"{location}/{HEAD} should be JSON, but is not: {error}.") from None
    except Exception as error:
        raise RunUnreadable(f"{location}/{HEAD} cannot be read: {type(error).__name__}: {error}.") from None
    version = data.get("format_version", 0) if isinstance(data, dict) else None
    if not isinstance(version, int):
        raise RunUnreadable(f"{location}/{HEAD} is not as kazami writes it: it should be an object with a whole number as format_version.")
    if version > FORMAT_VERSION:
        raise NewerFormat(
            f"The run at {location} has format {version}, and this kazami reads formats up to {FORMAT_VERSION}. Upgrade it: pip install --upgrade kazami."
        )
    try:
        return RunInfo.from_dict(data)
    except TypeError as error:
        raise RunUnreadable(f"{location}/{HEAD} is not as kazami writes it: {error}.") from None


def _what_is_there(store: Store, location: str) -> str:
    if store.is_file():
        return f"There is no run at {location}: it is a file, and a run is a directory with a {HEAD} in it."
    try:
        names = store.names()
    except Exception as error:
        return f"There is no run at {location} that may be read: {type(error).__name__}: {error}."
    if names:
        return f"There is no run at {location}: the directory holds no {HEAD}, but {', '.join(names[:3])}{' …' if len(names) > 3 else ''}."
    if store.is_folder():
        return f"There is no run at {location}: the directory is empty."
    return f"There is no run at {location}: nothing is there.{_similar(store, location)}"


def _similar(store: Store, location: str) -> str:
    if not store.is_local:
        return ""
    folder, name = os.path.split(store.root)
    try:
        near = difflib.get_close_matches(name, os.listdir(folder), n=1)
    except OSError:
        return ""
    return f" Did you mean {os.path.join(os.path.dirname(location.rstrip('/')), near[0])}?" if near else ""
