"""A loss surface as plain data, for the page."""

from dataclasses import dataclass

from ..records import Sentence


@dataclass(frozen=True, slots=True)
class Landscape:
    """A loss surface and the session's path on it.

    Attributes:
        plane: How the plane was chosen.
        step: Step of the session at its centre.
        a: Coordinates of the columns.
        b: Of the rows, the lowest first.
        values: Losses, one row after the other; ``None`` where not finite.
        labels: What the two axes are.
        path: The weights the session went through, projected: coordinates and the true loss there.
        finding: What is to be seen.
        hidden: What the slice hides.
        said: How it was made.
    """

    plane: str
    step: int
    a: tuple[float, ...]
    b: tuple[float, ...]
    values: tuple[float | None, ...]
    labels: tuple[Sentence, Sentence]
    path: tuple[tuple[float, float, float | None], ...]
    finding: Sentence
    hidden: Sentence
    said: tuple[Sentence, ...]
