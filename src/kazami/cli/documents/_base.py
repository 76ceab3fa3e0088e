"""What a description of a document declares, and the parts that several documents share."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal


class AbstractDocument:
    """One document of ``--json``.

    Attributes:
        document: Its name, and that of its file ``docs/schemas/<document>.json``.
        commands: The commands that write it.
    """

    __slots__ = ()
    document: ClassVar[str]
    commands: ClassVar[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class AbstractCheckEntry:
    """A measured number beside what was expected of it.

    Attributes:
        name: What is measured.
        expected: What was expected, in ``unit``.
        tolerance: Largest allowed distance from ``expected``.
        measured: The measured number.
        passed: Whether it is where it was expected.
        kind: ``"within"``, ``"at_least"`` or ``"at_most"``.
        unit: Unit, empty for a pure number.
        source: Where the expectation comes from.
    """

    name: str
    expected: float
    tolerance: float
    measured: float
    passed: bool
    kind: Literal["within", "at_least", "at_most"]
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class CheckEntry(AbstractCheckEntry):
    """A measured number beside what was expected of it."""


@dataclass(frozen=True, slots=True)
class AbstractEstimateEntry:
    """A number (or one per direction) measured along an orbit.

    Attributes:
        name: What was measured.
        value: The number, per step of the map, or a list of them; ``null`` where nothing could be measured.
        uncertainty: One standard error, of the same form.
        steps: Number of steps that count.
        transient: Number of steps taken before them.
        time_per_step: Time of the system's own in one step (1 for maps).
        unit: Unit of ``value``.
        stopped_at: The step at which it could not go on, else ``null``.
        outcome: Whether all steps could be taken.
        conditions: What was frozen, in which precision, and so on.
        warnings: What may be wrong with the number.
        details: Further numbers by name.
        local: What each step gave; ``value`` is its mean.
    """

    name: str
    value: float | list[float | None] | None
    uncertainty: float | list[float | None] | None
    steps: int
    transient: int
    time_per_step: float
    unit: str
    stopped_at: int | None
    outcome: Literal["complete", "non_finite", "interrupted", "overflow"]
    conditions: list[str]
    warnings: list[str]
    details: dict[str, Any]
    local: list[Any]


@dataclass(frozen=True, slots=True)
class EstimateEntry(AbstractEstimateEntry):
    """A number (or one per direction) measured along an orbit."""


@dataclass(frozen=True, slots=True)
class PlaceEntry:
    """One input or output of a network.

    Attributes:
        name: Its name, or its place among the arguments.
        shape: Its shape, without the batch.
    """

    name: str
    shape: list[int]
