"""The document of ``kazami nets sensitivity``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ._base import AbstractDocument, PlaceEntry


@dataclass(frozen=True, slots=True)
class SensitivityEntry:
    """The input-output Jacobian of each example row in its largest singular values.

    Attributes:
        singular_values: Per row, largest first; output per input.
        radius: Radius of the ball of ``lipschitz_at_least``, in the unit of the input.
        lipschitz_at_least: Per row the largest slope found in that ball: a lower bound.
        derivative_gap: Per row the largest relative distance from a central difference; above 1e-3 a backward pass is wrong or a kink is near.
        residual: Largest relative residual of the singular vectors.
        method: How they were found.
        inputs: The inputs that were varied.
        outputs: The outputs.
        said: What the numbers say, in English.
    """

    singular_values: list[list[float]]
    radius: float
    lipschitz_at_least: list[float]
    derivative_gap: list[float]
    residual: float
    method: str
    inputs: list[PlaceEntry]
    outputs: list[PlaceEntry]
    said: list[str]


@dataclass(frozen=True, slots=True)
class LocalModelEntry:
    """The affine model that a network is around one row.

    Attributes:
        tolerance: Largest relative error within ``radius``.
        radius: Largest distance at which no direction tried breaks it; ``null`` where none did.
        holds_as_far_as_looked: Whether none did.
        kink_radius: Exact distance to the nearest kink of a piecewise-linear network, else ``null``.
        output: The network's output there.
        output_index: The output that the shares are of.
        difference: Of that output from the baseline's.
        shares: Each input's share by the local slope.
        completeness_gap: What they leave of ``difference``.
        integrated_shares: Each input's share, integrated along the path from the baseline.
        integrated_gap: What these leave.
        inputs: The inputs, in the order of the shares.
        said: What the numbers say, in English.
    """

    tolerance: float
    radius: float | None
    holds_as_far_as_looked: bool
    kink_radius: float | None
    output: list[float]
    output_index: int
    difference: float
    shares: list[float]
    completeness_gap: float
    integrated_shares: list[float]
    integrated_gap: float
    inputs: list[PlaceEntry]
    said: list[str]


@dataclass(frozen=True, slots=True)
class SensitivityDocument(AbstractDocument):
    """Which small changes of the input change the output most, and the linear model nearby.

    Attributes:
        schema: Version of the document's form.
        target: What was measured.
        sensitivity: The directions that amplify.
        local_model: Around one row; ``null`` where its matrix would be too large.
        map: Path of the map, ``null`` where none was asked for.
    """

    document: ClassVar = "sensitivity"
    commands: ClassVar = ("kazami nets sensitivity --json",)

    schema: Literal[1]
    target: str
    sensitivity: SensitivityEntry
    local_model: LocalModelEntry | None
    map: str | None
