"""The document of a watched run."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from ...records.finding import Finding, Sentence
from ...records.json_schema import MAY_BE_ABSENT
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class WindEntry:
    """The wind of a run.

    Attributes:
        word: Its word on the wind scale.
        value: Negative is calm, positive is storm, 0 is well; -2 to 2, and 3 for NaN or Inf.
    """

    word: str
    value: float


@dataclass(frozen=True, slots=True)
class StabilityEntry:
    """Sharpness against the optimizer's limit, at its newest measurement.

    Attributes:
        step: When.
        ratio: Sharpness over its limit; above 1 the step grows.
        value: η·λmax (for Adam of the preconditioned Hessian).
        limit: What theory allows.
        sharpness: λmax.
    """

    step: int
    ratio: float
    value: float
    limit: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class GrowthEntry:
    """How tiny differences grow along this run.

    Attributes:
        exponent: Mean growth rate.
        error: Its standard error, ``null`` where it is not known.
        unit: ``"1/step"``.
        steps: How many steps were measured.
        first: The first of them.
        last: The last of them.
        bursts: In how many bursts.
        of: What it holds for.
    """

    exponent: float
    error: float | None
    unit: str
    steps: int
    first: int
    last: int
    bursts: int
    of: str


@dataclass(frozen=True, slots=True)
class DynamicsEntry:
    """What was measured of the run as a dynamical system.

    Attributes:
        stability: Absent where sharpness was not measured.
        growth: Absent where growth was not measured.
    """

    stability: Annotated[StabilityEntry, MAY_BE_ABSENT]
    growth: Annotated[GrowthEntry, MAY_BE_ABSENT]


@dataclass(frozen=True, slots=True)
class RunDocument(AbstractDocument):
    """What is wrong with a run, and how that is known.

    Attributes:
        schema: Version of the document's form.
        verdict: One sentence, in the language asked for.
        wind: The run's wind.
        findings: Most important first.
        not_the_cause: What was looked at and excluded.
        run: The run directory, ``null`` where none was written.
        report: Path of the HTML report, ``null`` where none was written.
        steps: Optimizer steps seen.
        blind: What could not be seen, one sentence each.
        suppressed: The findings that were left out on request, with who asked.
        dynamics: Absent where neither sharpness nor growth was measured.
    """

    document: ClassVar = "run"
    commands: ClassVar = ("kazami run --json", "kazami check --json", "kazami report --format json")

    schema: Literal[1]
    verdict: str
    wind: WindEntry
    findings: list[Finding]
    not_the_cause: list[Sentence]
    run: str | None
    report: str | None
    steps: int
    blind: list[str]
    suppressed: list[dict[str, Any]]
    dynamics: Annotated[DynamicsEntry, MAY_BE_ABSENT]
