"""The document of one experiment of the lab."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from ...records.finding import Sentence
from ...records.json_schema import MAY_BE_ABSENT
from ._base import AbstractDocument, CheckEntry


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table of measured numbers.

    Attributes:
        title: What it shows.
        header: The names of its columns.
        rows: One list a row.
    """

    title: str
    header: list[str]
    rows: list[list[Any]]


@dataclass(frozen=True, slots=True)
class ExperimentDocument(AbstractDocument):
    """What an experiment expected, and what was measured. Of several experiments ``experiments`` holds one such object each, and ``checks`` all.

    Attributes:
        schema: Version of the document's form.
        passed: Whether it was completed and every check passed.
        checks: Every expectation beside what was measured.
        experiment: Its name.
        quick: Whether this was the quick version.
        seed: The seed that all other seeds come from.
        complete: Whether all conditions were measured, or somebody interrupted.
        tables: The measured numbers.
        sentence: The finding, with its numbers.
        experiments: The documents of several experiments.
    """

    document: ClassVar = "experiment"
    commands: ClassVar = ("kazami lab run --json",)

    schema: Literal[1]
    passed: bool
    checks: list[CheckEntry]
    experiment: Annotated[str, MAY_BE_ABSENT]
    quick: Annotated[bool, MAY_BE_ABSENT]
    seed: Annotated[int, MAY_BE_ABSENT]
    complete: Annotated[bool, MAY_BE_ABSENT]
    tables: Annotated[list[TableEntry], MAY_BE_ABSENT]
    sentence: Annotated[Sentence, MAY_BE_ABSENT]
    experiments: Annotated[list[dict[str, Any]], MAY_BE_ABSENT]
