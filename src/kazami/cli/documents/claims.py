"""The document of ``kazami lab claims``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ...records.finding import Sentence
from ._base import AbstractCheckEntry, AbstractDocument


@dataclass(frozen=True, slots=True)
class CaseEntry(AbstractCheckEntry):
    """A claim under one condition.

    Attributes:
        condition: The condition.
        holds: Whether the claim holds there.
    """

    condition: str
    holds: bool


@dataclass(frozen=True, slots=True)
class ClaimEntry:
    """A claim, measured.

    Attributes:
        name: What it is called.
        row: The row of the mission that it belongs to.
        text: The claim, as texts have it.
        verdict: Whether it holds in every case, in some, or in none.
        cases: One for each condition.
    """

    name: str
    row: str
    text: Sentence
    verdict: Literal["holds", "holds_when", "does_not_hold"]
    cases: list[CaseEntry]


@dataclass(frozen=True, slots=True)
class ClaimsDocument(AbstractDocument):
    """What texts say about deep learning, and what measuring says.

    Attributes:
        schema: Version of the document's form.
        complete: Whether all were measured, or somebody interrupted.
        claims: One for each claim.
    """

    document: ClassVar = "claims"
    commands: ClassVar = ("kazami lab claims --json",)

    schema: Literal[1]
    complete: bool
    claims: list[ClaimEntry]
