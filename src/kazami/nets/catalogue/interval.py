"""Intervals and extremes on the real line: what the catalogue's ranges and zones are made of."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...reports.numerals import short


@dataclass(frozen=True, slots=True)
class Interval:
    """A connected piece of the real line; a point where both ends are the same.

    Attributes:
        low: Lower end, −∞ allowed.
        high: Upper end, ∞ allowed.
        is_low_closed: Whether the lower end belongs to it.
        is_high_closed: Whether the upper end belongs to it.

    Example:
        >>> low, high = Interval(0.0, math.inf, is_low_closed=True)
        >>> print(low, high, Interval(0.0, math.inf, is_low_closed=True))
        0.0 inf [0, ∞)
    """

    low: float
    high: float
    is_low_closed: bool = False
    is_high_closed: bool = False

    def __iter__(self) -> Iterator[float]:
        """Yield the two ends, so that ``low, high = interval`` works."""
        yield self.low
        yield self.high

    def __getitem__(self, index: int) -> float:
        """Return an end: 0 the lower, 1 the upper."""
        return (self.low, self.high)[index]

    def __contains__(self, x: object) -> bool:
        """Return whether a number lies in the interval."""
        if not isinstance(x, int | float):
            return False
        above = self.low < x or (self.is_low_closed and x == self.low)
        return above and (x < self.high or (self.is_high_closed and x == self.high))

    def __str__(self) -> str:
        """Return the interval as people write it, ends with three significant digits."""
        if self.low == self.high:
            return short_signed(self.low)
        return f"{'[' if self.is_low_closed else '('}{short_signed(self.low)}, {short_signed(self.high)}{']' if self.is_high_closed else ')'}"

    def to_dict(self) -> dict[str, Any]:
        """Return the interval as plain data."""
        return {"low": self.low, "high": self.high, "is_low_closed": self.is_low_closed, "is_high_closed": self.is_high_closed}


WHOLE_LINE = Interval(-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Extreme:
    """The largest or smallest value of a function.

    Attributes:
        value: The supremum or infimum; ±∞ where there is no bound.
        where: Points and intervals at which it is reached or approached: ±∞ as a point for a limit, the place of a kink for a one-sided limit.
        is_attained: Whether the value is reached there, and not approached only.
    """

    value: float
    where: tuple[Interval, ...] = ()
    is_attained: bool = False

    @property
    def at(self) -> tuple[float, ...]:
        """The points at which the value is reached or approached; of an interval its finite ends, 0 for the whole line."""
        points: list[float] = []
        for piece in self.where:
            ends = [end for end in dict.fromkeys(piece) if piece.low == piece.high or math.isfinite(end)]
            points += ends or [0.0]
        return tuple(points)

    def to_dict(self) -> dict[str, Any]:
        """Return the extreme as plain data."""
        return {"value": self.value, "where": [piece.to_dict() for piece in self.where], "is_attained": self.is_attained}


def point(x: float) -> Interval:
    """Return the interval that holds one number only."""
    return Interval(x, x, is_low_closed=True, is_high_closed=True)


def shown(pieces: Sequence[Interval], nothing: str = "–") -> str:
    """Return intervals as one text.

    >>> shown([Interval(-math.inf, -3.0), Interval(3.0, math.inf)]), shown([])
    ('(−∞, −3) (3, ∞)', '–')
    """
    return " ".join(str(piece) for piece in pieces) or nothing


def short_signed(value: float) -> str:
    """Return a number with three significant digits and a true minus sign."""
    return short(value).replace("-", "−", 1) if value < 0 else short(value)
