"""The document of ``kazami lab lyapunov``."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ...records.finding import Sentence
from ._base import AbstractDocument, AbstractEstimateEntry


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
class LyapunovDocument(AbstractDocument, AbstractEstimateEntry):
    """Lyapunov exponents of a training, largest first.

    Attributes:
        schema: Version of the document's form.
        target: What was measured.
        value: The exponent, per optimizer step; a list of them with ``-k``.
        time_per_step: 1.
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
    horizon: float | None
    phase: PhaseEntry | None
    twins: dict[str, Any] | None
    complete: bool
    sentence: Sentence
    figure: str | None
