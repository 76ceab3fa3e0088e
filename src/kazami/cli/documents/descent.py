"""The document of ``kazami lab descent``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ...records.finding import Sentence
from ...surfaces.stationary import CriticalPoint
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class FateEntry:
    """How one walk ends.

    Attributes:
        outcome: How, in one word: ``"converged"``, ``"cycle"``, ``"chaotic"``, ``"escaped"`` …
        exponent: Largest Lyapunov exponent along the walk, per step; ``null`` where it was not needed or cannot be told.
        error: Its standard error.
        period: Steps after which a cycle repeats; 1 at a point of rest, 0 where there is none.
        steps: After how many steps it was decided.
        end: The last weights; ``null`` after an escape.
        loss_rose: Whether the loss ever went up.
        place: The kind of point that it rests on; empty where it does not rest.
        sentence: What happens.
    """

    outcome: str
    exponent: float | None
    error: float | None
    period: int
    steps: int
    end: list[float | None]
    loss_rose: bool
    place: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class WalkEntry:
    """The walks of one learning rate.

    Attributes:
        function: The surface's name.
        formula: The surface.
        method: How they step.
        learning_rate: The learning rate.
        paths: For each start the weights of every step; ``null`` after an escape.
        losses: For each start the losses.
        fates: What becomes of each.
    """

    function: str
    formula: str
    method: str
    learning_rate: float
    paths: list[list[list[float | None]]]
    losses: list[list[float | None]]
    fates: list[FateEntry]


@dataclass(frozen=True, slots=True)
class DescentDocument(AbstractDocument):
    """Walks down the surface of two weights.

    Attributes:
        schema: Version of the document's form.
        walks: One for each learning rate.
        critical_points: Where the gradient is zero.
        figures: Paths of the pictures that were asked for.
    """

    document: ClassVar = "descent"
    commands: ClassVar = ("kazami lab descent --json",)

    schema: Literal[1]
    walks: list[WalkEntry]
    critical_points: list[CriticalPoint]
    figures: list[str]
