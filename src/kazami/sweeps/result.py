"""What a sweep found: one labelled table, what failed, and pictures of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import UsageError, unknown_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ABOUT = b"kazami"
MISSING = "needs {name}, which is not installed: pip install 'kazami[tables]'. Without it, .table is a pyarrow table with the same columns."


@dataclass(frozen=True, slots=True)
class FailedTraining:
    """A member that raised, or whose workers died.

    Attributes:
        factors: Its factors' values.
        error: Name of the exception's class.
        message: Its words.
        traceback: As Python prints it; empty where the worker died.
    """

    factors: Mapping[str, Any]
    error: str
    message: str
    traceback: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"factors": dict(self.factors), "error": self.error, "message": self.message, "traceback": self.traceback}


@dataclass(frozen=True, slots=True, eq=False)
class SweepResult:
    """The results of a sweep.

    Attributes:
        table: A pyarrow table: a column for each factor, ``step`` (counted from 0: the loss at a step is that before it is taken), and what was recorded.
            What there is one of for each training stands in each of its rows. The units are in the fields' metadata.
        factors: The factors' names.
        engine: Which engine ran and why, one sentence for each way in which blocks ran.
        failures: The members that raised; the others' results are in the table.
        members: How many members the sweep has.
        is_complete: Whether every member ran (or failed); else the sweep was interrupted.
        directory: Where the table lies; ``None`` where it was not written.
        values: The factors' values of each member, in the members' order.
        rows: The member of each row of the table, from 0.
    """

    table: Any
    factors: tuple[str, ...]
    engine: str
    failures: tuple[FailedTraining, ...]
    members: int
    is_complete: bool = True
    directory: str | None = None
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def recorded(self) -> tuple[str, ...]:
        """Names of the columns that were recorded."""
        return tuple(name for name in self.table.column_names if name not in (*self.factors, "step"))

    @property
    def units(self) -> dict[str, str]:
        """The unit of each column that has one."""
        found = {part.name: (part.metadata or {}).get(b"unit", b"").decode() for part in self.table.schema}
        return {name: unit for name, unit in found.items() if unit}

    @property
    def series(self) -> set[str]:
        """The recorded columns with a value for each step."""
        return {part.name for part in self.table.schema if (part.metadata or {}).get(b"per") == b"step"}

    def to_pandas(self) -> Any:
        """Return the table as a ``pandas.DataFrame``; units are in ``.attrs["units"]``.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas  # noqa: F401
        except ImportError:
            raise UsageError("to_pandas " + MISSING.format(name="pandas")) from None
        frame = self.table.to_pandas()
        frame.attrs = {"units": self.units, "engine": self.engine}
        return frame

    def to_xarray(self) -> Any:
        """Return an ``xarray.Dataset``: a dimension for each factor (one for all where they are not on a grid), and ``step`` for what was recorded along it.

        Cells of members that failed or did not run are NaN (empty text for regimes).

        Raises:
            UsageError: xarray is not installed.
        """
        try:
            import xarray
        except ImportError:
            raise UsageError("to_xarray " + MISSING.format(name="xarray")) from None
        from .grids import gridded

        coordinates, variables, dimensions = gridded(self)
        found = xarray.Dataset({name: (dimensions[name], values) for name, values in variables.items()}, coords=coordinates)
        for name, unit in self.units.items():
            if name in found:
                found[name].attrs["units"] = unit
        found.attrs["engine"] = self.engine
        return found

    def final(self) -> Any:
        """Return the last row of each member as a pyarrow table."""
        from .grids import last_rows

        return last_rows(self)

    def best(self, count: int = 5, *, by: str | None = None) -> list[dict[str, Any]]:
        """Return the members that ended best.

        Args:
            count: How many.
            by: A column; the score (highest) where it was recorded, else the last loss (lowest).

        Raises:
            UsageError: There is nothing to go by.
        """
        column = by or next((name for name in ("score", "final_loss", "loss") if name in self.recorded), None)
        if column is None:
            raise UsageError(
                f"The best members should be told by a score or a loss, and neither was recorded. Name a column (by=): {', '.join(self.recorded)}."
            )
        self._must_have(column)
        rows = [row for row in self.final().to_pylist() if isinstance(row[column], (int, float)) and np.isfinite(row[column])]
        return sorted(rows, key=lambda row: -row[column] if column == "score" else row[column])[:count]

    def map(self, x: str | None = None, y: str | None = None, record: str | None = None, *, language: str = "en") -> "Figure":
        """Draw a recorded column over two factors: regimes as letters and colours, numbers as a map; other factors are taken together.

        Args:
            x: The factor along the horizontal axis; the first by default.
            y: The factor along the vertical axis; the second by default.
            record: The column; regimes where they were recorded, by default.
            language: Of the words.

        Raises:
            UsageError: There are no two such factors, or no such record.
        """
        from .map_figure import map_figure

        return map_figure(self, x, y, record, language)

    def curve(self, x: str | None = None, record: str | None = None, *, language: str = "en") -> "Figure":
        """Draw a recorded column against one factor, with its band over the others (seeds).

        Args:
            x: The factor; the first that is a number by default.
            record: The column; the exponent where it was recorded, by default.
            language: Of the words.
        """
        from .curve_figure import curve_figure

        return curve_figure(self, x, record, language)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: everything but the table, of which there are the best members and the regimes."""
        has_order = any(name in self.recorded for name in ("score", "final_loss", "loss"))
        return {
            "factors": list(self.factors), "recorded": list(self.recorded), "units": self.units, "members": self.members, "rows": self.table.num_rows,
            "is_complete": self.is_complete, "engine": self.engine, "directory": self.directory, "best": self.best() if has_order else [],
            "regimes": self.regimes(), "failures": [failure.to_dict() for failure in self.failures],
        }  # fmt: skip

    def regimes(self) -> dict[str, int]:
        """Return how many members ended in each regime, most first; empty where regimes were not recorded."""
        if "regime" not in self.recorded:
            return {}
        labels = [label for label in self.final()["regime"].to_pylist() if label]
        return dict(sorted(((label, labels.count(label)) for label in set(labels)), key=lambda pair: (-pair[1], pair[0])))

    def _must_have(self, column: str) -> None:
        if column not in self.table.column_names:
            raise unknown_name("column", column, self.table.column_names)


def column_of(values: Sequence[Any]) -> Any:
    """Return a factor's values as a pyarrow array of one type: numbers, or text where they are mixed.

    >>> column_of([0.1, 1]).type, column_of(["relu", None]).type, column_of([1, 2]).type
    (DataType(double), DataType(string), DataType(int64))
    """
    kinds = {bool if isinstance(value, bool) else type(value) for value in values if value is not None}
    if kinds <= {bool} or kinds <= {int} or kinds <= {str}:
        return pa.array(list(values))
    if kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], type=pa.float64())
    return pa.array([None if value is None else str(value) for value in values], type=pa.string())
