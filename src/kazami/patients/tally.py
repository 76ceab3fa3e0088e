"""The figures by which diagnosis and cure are judged, each beside what is aimed at."""

import operator
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .healing import Healing
from .reading import Reading

When = Literal["early", "whole"]


@dataclass(frozen=True, slots=True)
class Count:
    """So many of so many.

    Attributes:
        n: How many it is true of.
        of: Of how many.
    """

    n: int
    of: int

    @property
    def share(self) -> float:
        """The share, 0 to 1; NaN of none."""
        return self.n / self.of if self.of else float("nan")

    def __str__(self) -> str:
        """Return ``"0.963 (154/160)"``."""
        return f"{self.share:5.3f} ({self.n}/{self.of})" if self.of else "–"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure.

    Attributes:
        name: What is counted.
        sign: ``"≥"`` or ``"≤"``.
        aim: The share that is aimed at.
        counts: By the column of the table: ``"early"`` and ``"whole"``, or ``"cure"``.
    """

    name: str
    sign: Literal["≥", "≤"]
    aim: float
    counts: dict[str, Count]

    def is_met(self, column: str) -> bool:
        """Whether the aim is reached in a column; an empty one reaches nothing."""
        compare = operator.ge if self.sign == "≥" else operator.le
        return bool(self.counts[column].of) and compare(self.counts[column].share, self.aim)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        counts = {name: {**asdict(count), "share": count.share if count.of else None, "met": self.is_met(name)} for name, count in self.counts.items()}
        return {"name": self.name, "sign": self.sign, "aim": self.aim, **counts}


def of_readings(readings: Sequence[Reading]) -> list[Line]:
    """Return the figures of the diagnosis, on the first fifth of the steps and on all of them; the aims hold for the first fifth."""
    by_column = {when: _counts(readings, when) for when in ("early", "whole")}
    aims: list[tuple[str, Literal["≥", "≤"], float]] = [
        ("ill flagged", "≥", 0.95),
        ("healthy flagged", "≤", 0.03),
        ("a true cause named", "≥", 0.90),
        ("first finding true", "≥", 0.85),
        ("primary is the planted cause", "≥", 0.70),
        ("findings that are true", "≥", 0.85),
    ]
    return [Line(name, sign, aim, {when: counts[name] for when, counts in by_column.items()}) for name, sign, aim in aims]


def _counts(readings: Sequence[Reading], when: When) -> dict[str, Count]:
    found = {reading.name: reading.early if when == "early" else reading.whole for reading in readings}
    ill, healthy = [one for one in readings if one.label], [one for one in readings if not one.label]
    return {
        "ill flagged": count(bool(found[one.name]) for one in ill),
        "healthy flagged": count(bool(found[one.name]) for one in healthy),
        "a true cause named": count(any(name in one.true for name in found[one.name]) for one in ill),
        "first finding true": count(bool(found[one.name]) and found[one.name][0] in one.true for one in ill),
        "primary is the planted cause": count(bool(found[one.name]) and found[one.name][0] == one.label for one in ill),
        "findings that are true": count(name in one.true for one in readings for name in found[one.name]),
    }


def of_healings(healings: Sequence[Healing]) -> list[Line]:
    """Return the figures of the cure."""
    ill, healthy = [one for one in healings if one.label], [one for one in healings if not one.label]
    return [
        Line("cured", "≥", 0.90, {"cure": count(one.is_well for one in ill)}),
        Line("healthy harmed", "≤", 0.0, {"cure": count(one.is_harmed for one in healthy)}),
    ]


def count(values: Iterable[bool]) -> Count:
    """Return how many are true, of how many."""
    listed = list(values)
    return Count(sum(listed), len(listed))


def table(lines: Sequence[Line], heads: dict[str, str]) -> str:
    """Return the figures as text: one line each, a check mark where the aim is reached.

    Args:
        lines: The figures.
        heads: Heading by column.
    """
    rows = [f"  {'':32}{'aim':>8}   " + "".join(f"{head:24}" for head in heads.values())]
    for line in lines:
        cells = "".join(f"{'✓' if line.is_met(column) else '·'} {line.counts[column]!s:22}" for column in heads)
        rows.append(f"  {line.name:32}{line.sign:>3} {line.aim:4.2f}   {cells}")
    return "\n".join(row.rstrip() for row in rows)
