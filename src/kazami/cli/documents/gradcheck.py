"""The document of ``kazami lab gradcheck``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ...derivatives.numeric_result import MethodCost
from ...records.finding import Sentence
from ...records.json_schema import Shown
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class ErrorGrowthEntry:
    """Error against the size of the numeric step.

    Attributes:
        steps: Sizes of the step.
        errors: Relative differences.
        truncation: Slope where the step is large.
        rounding: Slope where it is small.
        kind: What the curve looks like.
    """

    steps: list[float]
    errors: list[float | None]
    truncation: float | None
    rounding: float | None
    kind: str


@dataclass(frozen=True, slots=True)
class ParameterEntry:
    """One parameter or input.

    Attributes:
        name: Its name.
        shape: Its shape.
        status: ``"right"``, or what is wrong.
        analytic: Backprop's derivative along the probing direction.
        numeric: The numeric one.
        uncertainty: Of the numeric one.
        relative_difference: Between the two.
        worst_index: Index of the worst entry, ``null`` where none is wrong.
        worst_analytic: Backprop's derivative there.
        worst_numeric: The numeric one there.
        steps: Sizes of the numeric step.
        errors: The differences at them.
        n_probed: Entries looked at one by one.
        n_wrong: Of them wrong.
        together: How many parameters were probed with it in one direction.
        note: What must be known.
    """

    name: str
    shape: list[int]
    status: str
    analytic: float | None
    numeric: float | None
    uncertainty: float | None
    relative_difference: float | None
    worst_index: list[int] | None
    worst_analytic: float | None
    worst_numeric: float | None
    steps: list[float]
    errors: list[float | None]
    n_probed: int
    n_wrong: int
    together: int
    note: str


@dataclass(frozen=True, slots=True)
class GradCheckEntry:
    """What the check found.

    Attributes:
        ok: Whether no gradient is wrong, missing or not finite.
        verdict: The answer in one sentence.
        parameter: The first parameter with a fault, ``null`` if ok.
        index: Index of its worst entry.
        analytic: Backprop's derivative there.
        numeric: The numeric one there.
        faults: What is wrong, in single words.
        module: The user's module whose backward is at fault.
        hints: What the pattern of the error looks like.
        notes: What must be known to read this.
        complex_step: What the complex step said.
        error_growth: Error against step size.
        loss: The loss on this batch.
        dtype: In which precision it was checked.
        n_evaluations: Forward passes taken.
        seconds: Wall time.
        table: One row per parameter and checked input.
    """

    ok: bool
    verdict: Sentence
    parameter: str | None
    index: list[int] | None
    analytic: float | None
    numeric: float | None
    faults: list[str]
    module: str | None
    hints: list[Sentence]
    notes: list[Sentence]
    complex_step: Sentence | None
    error_growth: ErrorGrowthEntry | None
    loss: float | None
    dtype: str
    n_evaluations: int
    seconds: float
    table: list[ParameterEntry]


@dataclass(frozen=True, slots=True)
class NumericEntry:
    """Numerical differentiation against backprop.

    Attributes:
        n_weights: Trainable weights.
        one_example: Whether one example was enough.
        dtype: In which precision.
        backprop: Its cost.
        methods: The costs of the others.
        sentence: The finding.
    """

    n_weights: int
    one_example: bool
    dtype: str
    backprop: Annotated[MethodCost, Shown(or_null=True)]
    methods: list[Annotated[MethodCost, Shown(or_null=True)]]
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class GradcheckDocument(AbstractDocument):
    """Backprop's gradients against numeric ones.

    Attributes:
        schema: Version of the document's form.
        target: What was checked.
        gradcheck: What the check found.
        numeric: What both cost, ``null`` where it could not be measured.
        million_weights: The same for a million weights, ``null`` where it was not asked for.
    """

    document: ClassVar = "gradcheck"
    commands: ClassVar = ("kazami lab gradcheck --json",)

    schema: Literal[1]
    target: str
    gradcheck: GradCheckEntry
    numeric: NumericEntry | None
    million_weights: NumericEntry | None
