"""The document of ``kazami lab noise``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ...lab.noise import NoiseRow
from ...records.finding import Sentence
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class NoiseDocument(AbstractDocument):
    """Where differences between two trainings come from.

    Attributes:
        schema: Version of the document's form.
        target: What was trained.
        steps: Length of the trainings.
        complete: Whether all was measured, or somebody interrupted.
        rows: One per source, with ``"nothing"`` first and ``"all"`` last.
        answers: Distance between two answers of the one trained model: ``evaluation``, ``training`` mode, other ``threads``.
        growth: Mean exponent per step of a tiny difference.
        sentence: The finding.
    """

    document: ClassVar = "noise"
    commands: ClassVar = ("kazami lab noise --json",)

    schema: Literal[1]
    target: str
    steps: int
    complete: bool
    rows: list[NoiseRow]
    answers: dict[str, float]
    growth: float
    sentence: Sentence
