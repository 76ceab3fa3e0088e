"""The document of ``kazami lab sharpness``."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from ...records.json_schema import MAY_BE_ABSENT
from ._base import AbstractDocument, EstimateEntry


@dataclass(frozen=True, slots=True)
class SharpnessDocument(AbstractDocument):
    """The largest eigenvalues of a loss's Hessian.

    Attributes:
        schema: Version of the document's form.
        target: What was measured.
        sharpness: The eigenvalues, largest first; ``details.threshold`` is the optimizer's limit.
        density: The spectral density, where ``--density`` was asked for.
        flat_directions: How many directions are flat, likewise.
        trace: The trace, likewise.
        figure: Path of the figure, ``null`` where none was asked for.
    """

    document: ClassVar = "sharpness"
    commands: ClassVar = ("kazami lab sharpness --json",)

    schema: Literal[1]
    target: str
    sharpness: EstimateEntry
    density: Annotated[dict[str, Any], MAY_BE_ABSENT]
    flat_directions: Annotated[dict[str, Any], MAY_BE_ABSENT]
    trace: Annotated[dict[str, Any], MAY_BE_ABSENT]
    figure: str | None
