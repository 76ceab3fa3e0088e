"""The document of ``kazami lab backprop``."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One step of the forward or backward pass.

    Attributes:
        name: What is computed, for example ``"delta_2"``.
        phase: Which pass it belongs to.
        layer: Which layer, 1 is the first; 0 is the input.
        formula: In LaTeX.
        shapes: Shapes of the formula's operands and, last, of the result.
        value: The numbers, nested as the last shape says.
    """

    name: str
    phase: Literal["forward", "backward"]
    layer: int
    formula: str
    shapes: list[list[int]]
    value: Any


@dataclass(frozen=True, slots=True)
class BackpropDocument(AbstractDocument):
    """Every step of the forward and backward pass of a small network.

    Attributes:
        schema: Version of the document's form.
        sizes: The network: its sizes, or the target's name.
        loss: The loss.
        loss_name: Which loss it is.
        activations: One for each layer.
        steps: In the order in which they are computed.
        off_autograd: Largest distance of a gradient from autograd's.
        off_numeric: The same from central differences; ``null`` where these would take long.
    """

    document: ClassVar = "backprop"
    commands: ClassVar = ("kazami lab backprop --json",)

    schema: Literal[1]
    sizes: str
    loss: float
    loss_name: str
    activations: list[str]
    steps: list[StepEntry]
    off_autograd: float
    off_numeric: float | None
