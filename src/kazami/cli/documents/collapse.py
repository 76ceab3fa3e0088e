"""The document of ``kazami nets collapse``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ...nets.inside.collapse_layers import LayerVerdict
from ...nets.inside.nonlinearity import LayerNonlinearity
from ...records.json_schema import Shown
from ._base import AbstractDocument, PlaceEntry


@dataclass(frozen=True, slots=True)
class NonlinearityEntry:
    """The share of output variance that no affine map of the input explains.

    Attributes:
        value: End to end: 0 for an affine network, 1 where no affine map explains anything; ``null`` where it cannot be had.
        standard_error: Of ``value``.
        method: How the affine map was found; ``"mean Jacobian"`` gives an upper bound.
        n_rows: Rows of data that it was measured on.
        layers: The same for every layer on what goes into it.
        said: What the number says, in English.
    """

    value: float | None
    standard_error: float | None
    method: str
    n_rows: int
    layers: list[Annotated[LayerNonlinearity, Shown(or_null=True, without=("is_elementwise",))]]
    said: list[str]


@dataclass(frozen=True, slots=True)
class CollapseDocument(AbstractDocument):
    """Whether a network is y = xW + b, and with which matrix and bias.

    Attributes:
        schema: Version of the document's form.
        target: What was examined.
        is_affine: Whether every tested identity holds, over nine decades of input size.
        affine_on_data: Whether it holds between the example's own rows.
        residual: Largest violation found, relative to the size of the terms.
        tolerance: Largest violation that counts as rounding.
        worst_scale: Input size, in units of the data's own, at which ``residual`` was found.
        n_inputs: Numbers in.
        n_outputs: Numbers out.
        rank: Numerical rank of the matrix, ``null`` without one.
        verified: Largest relative error of xW + b on fresh inputs, ``null`` without a matrix.
        affine_in: For each input alone, whether the network is affine in it.
        inputs: The inputs, in the order of the flat row.
        outputs: The outputs, likewise.
        batch_dimension: Which dimension holds the rows, ``null`` where the whole example is one.
        matrix: W in row form, ``null`` where there is none or it is large (``-o`` writes it).
        bias: b, likewise.
        n_layers: Layers with a weight matrix that the pass goes through, each use counted.
        layers: One verdict per layer, in the order of the calls.
        why: The verdict, in the language asked for.
        notes: How the network was asked.
        nonlinearity: How much the layers bend on the data.
        written: Path of the matrix, ``null`` where none was asked for.
    """

    document: ClassVar = "collapse"
    commands: ClassVar = ("kazami nets collapse --json",)

    schema: Literal[1]
    target: str
    is_affine: bool
    affine_on_data: bool
    residual: float
    tolerance: float
    worst_scale: float
    n_inputs: int
    n_outputs: int
    rank: int | None
    verified: float | None
    affine_in: dict[str, bool]
    inputs: list[PlaceEntry]
    outputs: list[PlaceEntry]
    batch_dimension: int | None
    matrix: list[list[float]] | None
    bias: list[float] | None
    n_layers: int
    layers: list[Annotated[LayerVerdict, Shown(or_null=True)]]
    why: str
    notes: list[str]
    nonlinearity: NonlinearityEntry
    written: str | None
