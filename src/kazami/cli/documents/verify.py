"""The document of ``kazami verify``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ._base import AbstractCheckEntry, AbstractDocument


@dataclass(frozen=True, slots=True)
class GroupedCheckEntry(AbstractCheckEntry):
    """A measured number beside the known truth.

    Attributes:
        group: The group of truths that it belongs to.
    """

    group: str


@dataclass(frozen=True, slots=True)
class VerifyDocument(AbstractDocument):
    """Every number of kazami's beside a known truth, measured on this machine.

    Attributes:
        schema: Version of the document's form.
        passed: Whether all were measured and all passed.
        complete: Whether all were measured, or somebody interrupted.
        checks: One for each number.
    """

    document: ClassVar = "verify"
    commands: ClassVar = ("kazami verify --json",)

    schema: Literal[1]
    passed: bool
    complete: bool
    checks: list[GroupedCheckEntry]
