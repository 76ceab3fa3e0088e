"""The document of ``kazami lab onset``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class RivalEntry:
    """What another rule would have chosen.

    Attributes:
        name: The rule.
        learning_rate: Its choice.
        time: Median time to the goal, in steps; ``null`` where it was not reached.
        reached: Share of seeds that reached the goal.
        ratio: Its time over that of the fastest rate.
        interval: 95 % interval of ``ratio``.
        verdict: In one word.
    """

    name: str
    learning_rate: float | None
    time: float | None
    reached: float | None
    ratio: float | None
    interval: list[float | None]
    verdict: str


@dataclass(frozen=True, slots=True)
class OnsetDocument(AbstractDocument):
    """The learning rate at which training becomes chaotic, and the fastest; ``null`` where there is none.

    Attributes:
        schema: Version of the document's form.
        target: What was measured.
        onset: Learning rate at which the mean exponent passes ``threshold`` for good.
        fastest: Learning rate with the shortest median time to the goal.
        threshold: The exponent that counts as chaotic, per step.
        acceptable: What counts as reached.
        interval: 95 % bootstrap interval of ``onset``.
        fastest_interval: The same of ``fastest``.
        table: One row per learning rate.
        proof: The fastest rate and its neighbours trained again from fresh seeds: median time by learning rate.
        is_proved: Whether the fastest is no slower there than both neighbours, within a tenth.
        rivals: What other rules would have chosen.
        how: How the ensemble was run.
        warnings: What may be wrong.
        figure: Path of the figure, ``null`` where none was asked for.
    """

    document: ClassVar = "onset"
    commands: ClassVar = ("kazami lab onset --json",)

    schema: Literal[1]
    target: str
    onset: float | None
    fastest: float | None
    threshold: float | None
    acceptable: float | None
    interval: list[float | None]
    fastest_interval: list[float | None]
    table: list[dict[str, float | None]]
    proof: dict[str, float | None]
    is_proved: bool
    rivals: list[RivalEntry]
    how: str
    warnings: list[str]
    figure: str | None
