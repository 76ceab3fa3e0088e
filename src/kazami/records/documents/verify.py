"""The document of ``kazami verify``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class GroupedCheckEntry:
    """A measured number beside the known truth.

    Attributes:
        group: The group of truths that it belongs to.
        name: What is measured.
        expected: The truth, in ``unit``.
        tolerance: Largest allowed distance from it.
        measured: The measured number.
        passed: Whether it is where it was expected.
        kind: ``"within"``, ``"at_least"`` or ``"at_most"``.
        unit: Unit, empty for a pure number.
        source: Where the truth comes from.
    """

    group: str
    name: str
    expected: float
    tolerance: float
    measured: float
    passed: bool
    kind: Literal["within", "at_least", "at_most"]
    unit: str
    source: str


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
