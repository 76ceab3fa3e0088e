"""The document of ``kazami compare``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ...comparison.growth import Growth
from ...comparison.parting import Parting
from ...comparison.result import Jump, Setting
from ...records.json_schema import Shown
from ._base import AbstractDocument

PLAIN = Shown(or_null=True)


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
    first: Annotated[Parting, PLAIN] | None
    jump: Annotated[Jump, PLAIN] | None
    growth: Annotated[Growth, PLAIN] | None
    from_rounding: bool
    horizon: float | None
    horizon_error: float | None
    is_exact: bool
    distance: DistanceEntry
    settings: list[Setting]
    notes: list[str]
    offset: int
