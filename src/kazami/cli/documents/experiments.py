"""The document of ``kazami lab list``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class ExperimentEntry:
    """One experiment of the lab.

    Attributes:
        name: What ``kazami lab run`` calls it.
        title: Its title.
        question: What it asks.
        claim: What was claimed.
        citation: Where.
        seconds: How long it takes, quick and in full.
    """

    name: str
    title: str
    question: str
    claim: str
    citation: str
    seconds: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ExperimentsDocument(AbstractDocument):
    """All experiments of the lab.

    Attributes:
        schema: Version of the document's form.
        experiments: One for each.
    """

    document: ClassVar = "experiments"
    commands: ClassVar = ("kazami lab list --json",)

    schema: Literal[1]
    experiments: list[ExperimentEntry]
