"""What a panel of the tour is: one idea, computed now, with its finding, its pictures, its numbers and where to go on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..records import Check, Sentence

Report = Callable[[Sentence], None]  # told what is being computed just now
Draw = Callable[[str], str]  # (language in which the page opens) -> SVG or HTML made of the panel's own numbers
Lines = Callable[[str, int, bool], list[str]]  # (language, columns, colour) -> lines of a terminal


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers behind a picture, for people who cannot see it and for people who want them exactly.

    Attributes:
        header: Names of the columns.
        rows: Cells; a plain string reads the same in both languages.
    """

    header: tuple[Sentence, ...]
    rows: tuple[tuple[Sentence | str, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the page.

    Attributes:
        title: What it shows, as a finding.
        notice: One line: what to notice.
        draw: Returns an SVG element in both languages; called when the page is written, with the language that screen readers hear first.
        table: The same numbers as a table.
        is_wide: Whether it takes the whole width of its panel.
    """

    title: Sentence
    notice: Sentence
    draw: Draw
    table: Table
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Deeper:
    """Where to go on.

    Attributes:
        command: What to type; it exists today.
        sentence: What it does.
    """

    command: str
    sentence: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelResult:
    """What a panel found.

    Attributes:
        name: Short name, ``"calm_and_storm"``.
        number: Its place in the tour, from 1.
        topic: Its heading.
        finding: The finding with its numbers, one sentence.
        text: What was done and what it means, a few sentences each.
        pictures: Figures of the page.
        lines: The panel's own lines on the terminal: a small picture in characters.
        numbers: Every number that is shown, by name, as plain data.
        checks: Expectations and what was measured.
        deeper: Commands that go on from here.
        blocks: Ready HTML that stands before the pictures, such as a table that is a picture itself.
    """

    name: str
    number: int
    topic: Sentence
    finding: Sentence
    text: tuple[Sentence, ...]
    pictures: tuple[Picture, ...]
    lines: Lines
    numbers: Mapping[str, Any]
    deeper: tuple[Deeper, ...]
    checks: tuple[Check, ...] = ()
    blocks: tuple[Callable[[], str], ...] = ()


class AbstractPanel(ABC):
    """One idea of the tour.

    Class attributes:
        name: Short name.
        number: Its place in the tour, from 1.
        topic: Its heading.
    """

    name: ClassVar[str]
    number: ClassVar[int]
    topic: ClassVar[Sentence]

    @abstractmethod
    def compute(self, report: Report) -> PanelResult:
        """Return what this panel finds, computed anew; ``report`` is told what is going on."""
