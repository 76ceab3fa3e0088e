"""The document of ``kazami compare``."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class PartingEntry:
    """The first difference of two runs.

    Attributes:
        what: What differs: a setting, the start, the weights.
        step: At which step.
        after: The last step at which they were seen to be the same, ``null`` where there is none.
        name: The parameter that differs most.
        n_parameters: How many differ.
        size: The relative distance.
    """

    what: str
    step: int
    after: int | None
    name: str
    n_parameters: int
    size: float | None


@dataclass(frozen=True, slots=True)
class JumpEntry:
    """A jump of the distance between runs that differed already.

    Attributes:
        step: After which the distance is seen to have jumped.
        after: The last record before.
        name: The parameter whose own distance rose most.
        before: Relative distance before.
        size: Relative distance after.
    """

    step: int
    after: int
    name: str
    before: float | None
    size: float | None


@dataclass(frozen=True, slots=True)
class GrowthOfDistanceEntry:
    """How the distance grows after the parting.

    Attributes:
        model: ``"exponential"``, ``"power"``, ``"level"`` or ``"unclear"``.
        rate: Of the exponential, per optimizer step.
        rate_error: Its standard error.
        first: First step of the window.
        last: Its last step.
        level: Logarithm of the relative distance on the line at ``first``.
        e_foldings: Growth over the window, in natural logarithms.
        power: Exponent of the power of time that fits best.
        held_out: For each model its error on steps it was not fitted to.
        saturation: Logarithm of the relative distance beyond which it does not grow.
    """

    model: str
    rate: float | None
    rate_error: float | None
    first: int
    last: int
    level: float | None
    e_foldings: float | None
    power: float | None
    held_out: dict[str, float | None]
    saturation: float | None


@dataclass(frozen=True, slots=True)
class DistanceEntry:
    """The distance over the steps; ``null`` where it is not finite.

    Attributes:
        steps: The steps.
        values: Euclidean distance of the weights.
        standard_errors: Of ``values``, where they are sketched.
        relative: The distance over the size of the weights.
    """

    steps: list[int]
    values: list[float | None]
    standard_errors: list[float | None]
    relative: list[float | None]


@dataclass(frozen=True, slots=True)
class SettingEntry:
    """A setting that differs.

    Attributes:
        name: ``"optimizer.momentum"``, ``"versions.torch"`` …
        a: Its value in the first run.
        b: Its value in the second.
    """

    name: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class CompareDocument(AbstractDocument):
    """Where two runs part, and how.

    Attributes:
        schema: Version of the document's form.
        a: Where the first run lies.
        b: Where the second lies.
        kind: The finding in one word.
        sentence: The finding, in the language asked for.
        first: The first difference, ``null`` where there is none.
        jump: A jump later on, ``null`` where there is none.
        growth: How the distance grows, ``null`` with too few records.
        from_rounding: Whether the first difference is no larger than rounding makes it.
        horizon: Step at which an exponential difference is as large as the weights, ``null`` where it does not grow so.
        horizon_error: Its standard error.
        is_exact: Whether the distances are exact, or sketched.
        distance: Over the steps.
        settings: Settings that differ.
        notes: What must be known to read this.
        offset: By how many steps the second run's step numbers were raised.
    """

    document: ClassVar = "compare"
    commands: ClassVar = ("kazami compare --json",)

    schema: Literal[1]
    a: str
    b: str
    kind: Literal["same", "configuration", "start", "jump", "exponential", "contraction", "drift"]
    sentence: str
    first: PartingEntry | None
    jump: JumpEntry | None
    growth: GrowthOfDistanceEntry | None
    from_rounding: bool
    horizon: float | None
    horizon_error: float | None
    is_exact: bool
    distance: DistanceEntry
    settings: list[SettingEntry]
    notes: list[str]
    offset: int
