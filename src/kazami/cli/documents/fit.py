"""The document of ``kazami lab fit``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ...derivatives.formula_fit import Fit
from ...records.finding import Sentence
from ...records.json_schema import Shown
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class WidthEntry:
    """Medians over the seeds of one width.

    Attributes:
        rms: Of the last root mean square error on held-out points.
        largest: Of the largest error there.
    """

    rms: float
    largest: float


@dataclass(frozen=True, slots=True)
class FitDocument(AbstractDocument):
    """How near networks of several widths come to a formula.

    Attributes:
        schema: Version of the document's form.
        formula: What was fitted.
        variables: Its variables.
        interval: Where, for each variable.
        spread: Standard deviation of the formula's values: the error of the best constant.
        by_width: The medians by width.
        fits: One per width and seed.
        is_whole: Whether all were made, or somebody interrupted.
        sentence: The result.
        figure: Path of the figure, ``null`` where none was asked for.
    """

    document: ClassVar = "fit"
    commands: ClassVar = ("kazami lab fit --json",)

    schema: Literal[1]
    formula: str
    variables: list[str]
    interval: tuple[float, float]
    spread: float
    by_width: dict[str, WidthEntry]
    fits: list[Annotated[Fit, Shown(without=("curve",))]]
    is_whole: bool
    sentence: Sentence
    figure: str | None
