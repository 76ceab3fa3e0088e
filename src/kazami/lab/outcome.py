"""What an experiment leaves behind: its checks, its tables, its finding in one sentence, and its figure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..records import Check, Sentence
from ..storage.strict_json import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Any]


class Rows(Sequence[Row]):
    """What was measured, one row per condition: the condition's own names and numbers, and what came out.

    Args:
        rows: The rows, in the order in which they were measured.

    Example:
        >>> rows = Rows([{"depth": 10, "loss": 0.5}, {"depth": 10, "loss": 1.5}, {"depth": 20, "loss": 3.0}])
        >>> rows.where(depth=10).mean("loss"), rows.distinct("depth")
        (1.0, [10, 20])
    """

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        """Keep the rows."""
        self._rows = list(rows)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        """Return one row."""
        return self._rows[index]

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows."""
        return iter(self._rows)

    def where(self, **conditions: Any) -> "Rows":
        """Return the rows in which every name has the value given."""
        return Rows([row for row in self._rows if all(row.get(name) == value for name, value in conditions.items())])

    def distinct(self, name: str) -> list[Any]:
        """Return the values that ``name`` takes, in the order of their first appearance."""
        return list(dict.fromkeys(row[name] for row in self._rows if name in row))

    def values(self, name: str) -> np.ndarray:
        """Return the values of ``name``, one per row that has it, along the first axis."""
        return np.array([row[name] for row in self._rows if name in row], dtype=float)

    def mean(self, name: str) -> Any:
        """Return the mean of ``name`` over the rows, an array where it is one; NaN where there is no row."""
        values = self.values(name)
        if not len(values):
            return float("nan")
        mean = values.mean(0)
        return mean if mean.ndim else float(mean)

    def median(self, name: str) -> float:
        """Return the median of ``name`` over the rows; NaN where there is no row."""
        return float(np.median(self.values(name))) if len(self.values(name)) else float("nan")

    def least(self, name: str) -> float:
        """Return the smallest value of ``name``; NaN where there is no row."""
        return float(self.values(name).min()) if len(self.values(name)) else float("nan")

    def largest(self, name: str) -> float:
        """Return the largest value of ``name``; NaN where there is no row."""
        return float(self.values(name).max()) if len(self.values(name)) else float("nan")

    def paired(self, name: str, first: Row, second: Row) -> np.ndarray:
        """Return the pairs of ``name`` in the rows of two conditions that share a seed, shape ``(pairs, 2)``."""
        left, right = ({row["seed"]: row[name] for row in self.where(**condition)} for condition in (first, second))
        return np.array([(left[seed], right[seed]) for seed in left if seed in right], dtype=float).reshape(-1, 2)

    def share_above(self, name: str, first: Row, second: Row) -> float:
        """Return the share of paired seeds in which ``name`` is larger under the second condition; NaN where there is no pair.

        Example:
            >>> rows = Rows([{"seed": s, "kind": kind, "loss": loss} for s, kind, loss in [(0, "a", 1.0), (0, "b", 2.0), (1, "a", 3.0), (1, "b", 1.0)]])
            >>> rows.share_above("loss", {"kind": "a"}, {"kind": "b"})
            0.5
        """
        pairs = self.paired(name, first, second)
        return float((pairs[:, 1] > pairs[:, 0]).mean()) if len(pairs) else float("nan")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of what was measured.

    Attributes:
        title: What the table shows.
        header: Names of the columns, with their units.
        rows: The cells: numbers, or texts.
        timed: Numbers of the columns that hold measured seconds, which no seed repeats.
    """

    title: Sentence
    header: tuple[Sentence, ...]
    rows: tuple[tuple[Any, ...], ...]
    timed: tuple[int, ...] = ()

    @classmethod
    def of(cls, title: Sentence, columns: Sequence[tuple[str, str]], cells: Sequence[tuple[Any, ...]], *, timed: tuple[int, ...] = ()) -> "Table":
        """Return a table whose columns are named by pairs of English and Japanese."""
        return cls(title, tuple(Sentence(*pair) for pair in columns), tuple(cells), timed)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain data, in English."""
        return {"title": self.title.en, "header": [name.en for name in self.header], "rows": plain(self.rows)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one experiment.

    Attributes:
        experiment: Its name.
        quick: Whether this was the quick version.
        seed: The seed that all other seeds come from.
        checks: Every expectation beside what was measured; in an interrupted experiment only those that could be measured.
        tables: The measured numbers.
        sentence: The finding, with its numbers.
        is_complete: Whether all conditions were measured, or somebody interrupted.
    """

    experiment: str
    quick: bool
    seed: int
    checks: tuple[Check, ...]
    tables: tuple[Table, ...]
    sentence: Sentence
    is_complete: bool = True
    draw: "Callable[[str], Figure] | None" = field(default=None, repr=False, compare=False)

    @property
    def passed(self) -> bool:
        """Whether the experiment was completed and every check is within its tolerance."""
        return self.is_complete and all(check.passed for check in self.checks)

    def figure(self, language: str = "en") -> "Figure":
        """Return the matplotlib figure of the finding.

        Args:
            language: ``"en"`` or ``"ja"``; a PNG needs a Japanese font for the latter, an SVG leaves the font to its reader.

        Raises:
            ValueError: The outcome was made without its drawing.
        """
        if self.draw is None:
            raise ValueError(f"The outcome of {self.experiment} has no drawing; get one from the experiment's run().")
        return self.draw(language)

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data, the form of ``--json``."""
        return {
            "schema": 1,
            "experiment": self.experiment,
            "quick": self.quick,
            "seed": self.seed,
            "complete": self.is_complete,
            "passed": self.passed,
            "checks": [plain(check.to_dict()) for check in self.checks],
            "tables": [table.to_dict() for table in self.tables],
            "sentence": {"en": self.sentence.en, "ja": self.sentence.ja},
        }
