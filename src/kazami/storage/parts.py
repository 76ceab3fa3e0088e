"""Parts of the long table of scalars: their names, and how rows become Parquet and come back."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Row = tuple[int, dict[str, float]]

SCHEMA = pa.schema([("step", pa.int64()), ("series", pa.dictionary(pa.int32(), pa.string())), ("value", pa.float64())])
_NAME = re.compile(r"part-(-?\d+)-(-?\d+)(?:-r(\d+))?\.(parquet|safetensors)")
_KEY = b"kazami"


@dataclass(frozen=True, slots=True)
class PartName:
    """The name of a part: ``part-<first>-<last>.parquet``, with ``-r<rank>`` before the dot for every rank but 0.

    Attributes:
        first: Smallest step in it.
        last: Largest step in it.
        rank: Process of a distributed training that wrote it.
        ending: ``"parquet"`` or ``"safetensors"``.
    """

    first: int
    last: int
    rank: int = 0
    ending: str = "parquet"

    def __str__(self) -> str:
        """Return the file name."""
        suffix = f"-r{self.rank}" if self.rank else ""
        return f"part-{self.first}-{self.last}{suffix}.{self.ending}"


def part_name(text: str) -> PartName | None:
    """Return the parsed name of a part, or ``None`` for every other file: temporary files, copies, notes.

    Example:
        >>> part_name("part-1-200-r3.parquet")
        PartName(first=1, last=200, rank=3, ending='parquet')
        >>> part_name(".writing-part-1-200.parquet") is None
        True
    """
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    first, last, rank, ending = match.groups()
    return PartName(int(first), int(last), int(rank or 0), ending)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one part and what it says about other parts.

    Attributes:
        table: Columns ``step``, ``series``, ``value``.
        order: Rises with every flush: of two values for the same step and series the one of higher order is the newer.
        supersedes: File names of the parts whose rows it contains.
    """

    table: Any
    order: int = -1
    supersedes: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the Parquet file (zstd)."""
        about = json.dumps({"order": self.order, "supersedes": list(self.supersedes)}).encode()
        sink = pa.BufferOutputStream()
        pq.write_table(self.table.replace_schema_metadata({_KEY: about}), sink, compression="zstd", use_dictionary=["series"])
        content: bytes = sink.getvalue().to_pybytes()
        return content

    @classmethod
    def from_bytes(cls, content: bytes) -> "Part":
        """Return the part that `to_bytes` wrote; a foreign file with the three columns will do.

        Raises:
            ValueError: It is torn, or is no such table.
        """
        try:
            table = pq.ParquetFile(pa.BufferReader(content)).read(columns=SCHEMA.names, use_threads=False)  # four times as fast as read_table
            about = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
            if table["step"].null_count or table["series"].null_count:
                raise ValueError("rows without step or series")
            return cls(table.replace_schema_metadata(None).cast(SCHEMA), int(about.get("order", -1)), tuple(about.get("supersedes", ())))
        except (pa.ArrowException, OSError, ValueError, TypeError, AttributeError) as error:
            raise ValueError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None


def joined(tables: Iterable[Any]) -> Any:
    """Return the rows of several tables as one, in their order."""
    return pa.concat_tables([*tables, SCHEMA.empty_table()]).unify_dictionaries().combine_chunks()


def columns_of(table: Any) -> tuple[Any, Any, Any, list[str]]:
    """Return a table's steps, series codes, values, and the names that the codes stand for."""
    series = table["series"].combine_chunks()
    series = series.chunk(0) if isinstance(series, pa.ChunkedArray) else series
    return table["step"].to_numpy(), series.indices.to_numpy(zero_copy_only=False), table["value"].to_numpy(), series.dictionary.to_pylist()


def without_older(table: Any) -> Any:
    """Return the rows in their order, but of several for the same step and series only the last.

    Example:
        >>> without_older(encoded([(1, {"loss": 3.0}), (2, {"loss": 2.0}), (1, {"loss": 4.0})])[0])["value"].to_pylist()
        [2.0, 4.0]
    """
    if table.num_rows == 0:
        return table
    steps, codes, _, names = columns_of(table)
    key = steps * len(names) + codes
    if np.all(np.diff(key) > 0):  # the usual case, for nothing
        return table
    order = np.argsort(key, kind="stable")
    is_last = np.append(np.diff(key[order]) != 0, True)
    return table if is_last.all() else table.take(pa.array(np.sort(order[is_last])))


def encoded(rows: Iterable[Row]) -> tuple[Any, list[str]]:
    """Return the long table of some rows, and the names of what was no number and is left out."""
    codes: dict[str, int] = {}
    codes_of: dict[tuple[str, ...], np.ndarray[Any, Any]] = {}
    steps: list[int] = []
    pieces: list[np.ndarray[Any, Any]] = []
    values: list[np.ndarray[Any, Any]] = []
    refused: list[str] = []
    for step, row in rows:
        names, numbers = _numbers(row, refused)
        if names not in codes_of:
            codes_of[names] = np.array([codes.setdefault(str(name), len(codes)) for name in names], dtype=np.int32)
        steps.append(step)
        pieces.append(codes_of[names])
        values.append(numbers)
    return _table(steps, pieces, values, list(codes)), refused


def _numbers(row: Mapping[str, Any], refused: list[str]) -> tuple[tuple[str, ...], np.ndarray[Any, Any]]:
    try:
        return tuple(row), np.fromiter(row.values(), dtype=np.float64, count=len(row))
    except Exception:  # one of them is no number: keep the others
        kept: dict[str, float] = {}
    for name, value in row.items():
        try:
            kept[name] = float(value)
        except Exception:  # whatever a strange object raises
            refused.append(str(name))
    return tuple(kept), np.array(list(kept.values()), dtype=np.float64)


def _table(steps: list[int], pieces: list[Any], values: list[Any], names: list[str]) -> Any:
    if not steps:
        return SCHEMA.empty_table()
    step = np.repeat(np.array(steps, dtype=np.int64), [piece.size for piece in pieces])
    series = pa.DictionaryArray.from_arrays(pa.array(np.concatenate(pieces)), pa.array(names, type=pa.string()))
    return pa.Table.from_arrays([pa.array(step), series, pa.array(np.concatenate(values))], schema=SCHEMA)
