"""What a group of truths is: a name, and measurements of which each gives checks, against closed forms and published numbers."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from ...records import Check, Sentence

__all__ = ["AbstractTruths", "Check", "Measurement", "Sentence", "failed_to_measure", "truth"]

Measurement = Callable[[], Sequence[Check]]


class AbstractTruths(ABC):
    """A group of numbers that are known, measured with the same estimators that users have.

    Class attributes:
        name: What the group is called on the command line.
        title: A few words.
    """

    name: ClassVar[str]
    title: ClassVar[Sentence]

    @abstractmethod
    def measurements(self, *, quick: bool) -> Sequence[Measurement]:
        """Return what is to be measured, each a function of no arguments that takes some seconds at most; ``quick`` leaves out the slow ones."""


def truth(
    names: tuple[str, str],
    measured: float,
    expected: float,
    tolerance: float,
    source: str,
    kind: Literal["within", "at_least", "at_most"] = "within",
) -> Check:
    """Return a check from its English and Japanese name, in the order in which a person says it.

    Example:
        >>> truth(("ln 2", "ln 2"), 0.693, math.log(2), 1e-3, "arithmetic").passed
        True
    """
    return Check(names[0], measured, expected, tolerance, kind, "", source, names[1])


def failed_to_measure(group: str, number: int, error: Exception) -> Check:
    """Return the check that says that a measurement ended with an error: it never passes."""
    name = f"{group}: measurement {number + 1} ended with {type(error).__name__}: {error}"
    return Check(name, math.nan, 0.0, 0.0, "within", "", "", f"{group}: 測定 {number + 1} はエラーで終了（{type(error).__name__}: {error}）")
