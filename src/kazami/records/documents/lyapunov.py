"""The document of ``kazami lab lyapunov``."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..finding import Sentence
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class PhaseEntry:
    """How nearby trainings part in the course of the measurement.

    Attributes:
        kind: ``"none"``, ``"transient"``, ``"lasting"`` …
        until: The step at which the growth ends.
        folds: Growth until then, in natural logarithms.
        rate: Growth rate until then.
        horizon: Steps for a factor e, ``null`` where there is no growth.
        late_rate: Growth rate afterwards.
        late_error: Its standard error.
    """

    kind: str
    until: int | None
    folds: float | None
    rate: float | None
    horizon: float | None
    late_rate: float | None
    late_error: float | None


@dataclass(frozen=True, slots=True)
class LyapunovDocument(AbstractDocument):
    """Lyapunov exponents of a training, largest first.

    Attributes:
        schema: Version of the document's form.
        target: What was measured.
        name: What the numbers are.
        value: The exponent, per optimizer step; a list of them with ``-k``.
        uncertainty: One standard error, of the same form.
        steps: Number of steps that count.
        transient: Number of steps taken before them.
        time_per_step: 1.
        unit: Unit of ``value``.
        stopped_at: The step at which it could not go on, else ``null``.
        outcome: Whether all steps could be taken.
        conditions: What was frozen, in which precision, and so on.
        warnings: What may be wrong with the numbers.
        details: Further numbers by name.
        local: What each step gave; ``value`` is its mean.
        horizon: Steps for a factor e of the largest; ``null`` or infinite where nothing grows.
        phase: Whether the growth lasts, ``null`` where it cannot be told.
        twins: The same by twin runs, ``null`` where it was not asked for.
        complete: Whether all was measured, or somebody interrupted.
        sentence: The finding.
        figure: Path of the figure, ``null`` where none was asked for.
    """

    document: ClassVar = "lyapunov"
    commands: ClassVar = ("kazami lab lyapunov --json",)

    schema: Literal[1]
    target: str
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
    horizon: float | None
    phase: PhaseEntry | None
    twins: dict[str, Any] | None
    complete: bool
    sentence: Sentence
    figure: str | None
