"""The document of ``kazami tour``."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from ...records.finding import Sentence
from ...records.json_schema import MAY_BE_ABSENT
from ._base import AbstractDocument, CheckEntry


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """One panel of the tour.

    Attributes:
        number: Its number.
        name: Its name.
        topic: What it is about.
        seconds: How long it took.
        error: What went wrong, ``null`` where nothing did; then the rest is there.
        finding: What it shows.
        numbers: All numbers that are shown.
        checks: Expectations beside what was measured.
        deeper: Commands that go deeper.
    """

    number: int
    name: str
    topic: Sentence
    seconds: float
    error: str | None
    finding: Annotated[Sentence, MAY_BE_ABSENT]
    numbers: Annotated[dict[str, Any], MAY_BE_ABSENT]
    checks: Annotated[list[CheckEntry], MAY_BE_ABSENT]
    deeper: Annotated[list[str], MAY_BE_ABSENT]


@dataclass(frozen=True, slots=True)
class TourDocument(AbstractDocument):
    """All that the tour computed.

    Attributes:
        schema: Version of the document's form.
        page: Path of the page, ``null`` where none was written.
        seconds: How long it took.
        is_interrupted: Whether somebody interrupted.
        panels: One for each panel.
    """

    document: ClassVar = "tour"
    commands: ClassVar = ("kazami tour --json",)

    schema: Literal[1]
    page: str | None
    seconds: float
    is_interrupted: bool
    panels: list[PanelEntry]
