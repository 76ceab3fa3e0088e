"""The document of ``kazami lab surface``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from ...records.finding import Sentence
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class SurfaceDocument(AbstractDocument):
    """The loss over a plane through the weights; ``null`` where a number is not finite or was not computed.

    Attributes:
        schema: Version of the document's form.
        target: Whose loss it is.
        plane: Which plane.
        values: The losses: rows follow ``b``, columns ``a``.
        a: Coordinates of the columns.
        b: Coordinates of the rows.
        labels: Names of the two axes, in English.
        path: Coordinates of the training's steps, projected on the plane.
        path_losses: The true losses there, off the plane; ``null`` at steps that were not evaluated.
        path_share: Share of the path's squared distances that lies in the plane.
        explained: Share of the path's variance along each principal axis, else ``null``.
        eigenvalues: Curvature along each eigenvector, else ``null``.
        points: What else is marked.
        n_weights: Weights of the model.
        gradient_share: Share of the squared gradient at the centre that lies in the plane.
        rows_computed: Rows computed before an interruption; all of them otherwise.
        complete: Whether every row was.
        engine: How it was computed.
        finding: What is to be seen.
        hidden: What the slice does not show.
        said: How it was made, in English.
        figure: Path of the picture, ``null`` where none was asked for.
    """

    document: ClassVar = "surface"
    commands: ClassVar = ("kazami lab surface --json",)

    schema: Literal[1]
    target: str
    plane: Literal["random", "pca", "hessian"]
    values: list[list[float | None]]
    a: list[float | None]
    b: list[float | None]
    labels: list[str]
    path: list[list[float | None]]
    path_losses: list[float | None]
    path_share: float | None
    explained: tuple[float, float] | None
    eigenvalues: tuple[float, float] | None
    points: list[list[float | None]]
    n_weights: int
    gradient_share: float | None
    rows_computed: int
    complete: bool
    engine: str
    finding: Sentence
    hidden: Sentence
    said: list[str]
    figure: str | None
