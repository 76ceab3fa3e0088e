"""The document of ``kazami lab bifurcation``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class PointEntry:
    """A change of the motion.

    Attributes:
        kind: What changes.
        low: The last value with the motion before.
        high: The first value with the motion after.
        before: Period before; 0 for chaos, -1 where the orbit is lost.
        after: Period after, likewise.
        estimate: The value at which it changes.
    """

    kind: str
    low: float
    high: float
    before: int
    after: int
    estimate: float


@dataclass(frozen=True, slots=True)
class BifurcationDocument(AbstractDocument):
    """What the motion is at each value of a parameter, and where it changes.

    Attributes:
        schema: Version of the document's form.
        parameter: The parameter.
        observable: What was recorded of the orbit.
        how: How the ensemble was run.
        n_points: Points of the diagram.
        is_complete: Whether all were computed, or somebody interrupted.
        values: The parameter's values.
        motions: The period at each; 0 for chaos, -1 where the orbit is lost, -2 where nothing is sure.
        letters: One letter for the regime at each.
        exponents: The largest exponent at each, ``null`` where it is not finite.
        points: Where the motion changes.
        figure: Path of the figure, ``null`` where none was asked for.
        data: Path of the points, likewise.
    """

    document: ClassVar = "bifurcation"
    commands: ClassVar = ("kazami lab bifurcation --json",)

    schema: Literal[1]
    parameter: str
    observable: str
    how: str
    n_points: int
    is_complete: bool
    values: list[float]
    motions: list[int]
    letters: str
    exponents: list[float | None]
    points: list[PointEntry]
    figure: str | None
    data: str | None
