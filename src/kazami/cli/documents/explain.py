"""The document of ``kazami nets explain``."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from ...nets.explained.explanation import Vote
from ...records.json_schema import Key
from ._base import AbstractDocument


@dataclass(frozen=True, slots=True)
class NeuronEntry:
    """One neuron's numbers.

    Attributes:
        x: Its inputs; ``null`` where they are many.
        w: Its weights, likewise.
        b: Its bias.
        vote: What goes into the activation.
        y: What comes out.
    """

    x: list[float] | None
    w: list[float] | None
    b: float
    vote: Annotated[float, Key("x·w+b")]
    y: float


@dataclass(frozen=True, slots=True)
class QuantityEntry:
    """A matrix.

    Attributes:
        shape: Its shape.
        values: Its rows; ``null`` where it is large.
    """

    shape: list[int]
    values: list[list[float]] | None


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """One layer's numbers.

    Attributes:
        x: Its input.
        weight: W in row form.
        bias: b.
        sums: XW + b.
        y: φ(XW + b).
    """

    x: QuantityEntry
    weight: QuantityEntry
    bias: QuantityEntry
    sums: QuantityEntry
    y: QuantityEntry


@dataclass(frozen=True, slots=True)
class FormEntry:
    """A layer in one form.

    Attributes:
        formula: As people write it.
        shapes: The shape of ``input``, ``weight``, ``bias`` and ``output``.
        values: Their rows; ``null`` where one is large.
    """

    formula: str
    shapes: dict[str, list[int]]
    values: dict[str, list[list[float]] | None]


@dataclass(frozen=True, slots=True)
class FormsEntry:
    """The first layer in column form and in row form.

    Attributes:
        layer: Its name in the model.
        column: Y = W Xᵀ + bᵀ.
        row: Y′ = X W′ + b, which PyTorch computes.
        difference: Largest absolute difference between the two answers.
        difference_to_layer: Largest absolute difference from what the layer itself answers.
    """

    layer: str
    column: FormEntry
    row: FormEntry
    difference: float
    difference_to_layer: float


@dataclass(frozen=True, slots=True)
class ExplainDocument(AbstractDocument):
    """A fully connected network from one neuron up, with the numbers that it computes with.

    Attributes:
        schema: Version of the document's form.
        sizes: Units from input to output.
        activation: Name of φ.
        seed: Of the weights and the input.
        neuron_with_one_input: The first neuron with its first input alone.
        neuron: The first neuron with all inputs.
        layers: All layers.
        forms: The first layer in both forms.
        drawings: How much each drawing holds: ``neurons`` and ``wires`` against ``blocks`` and ``quantities``.
        softmax: An example: ``of`` these numbers it ``is`` these, and their ``sum`` is 1.
        threshold: The neurons of the first layer as threshold neurons.
    """

    document: ClassVar = "explain"
    commands: ClassVar = ("kazami nets explain --json",)

    schema: Literal[1]
    sizes: list[int]
    activation: str
    seed: int
    neuron_with_one_input: NeuronEntry
    neuron: NeuronEntry
    layers: list[LayerEntry]
    forms: FormsEntry
    drawings: dict[str, int]
    softmax: dict[str, Any]
    threshold: list[Vote]
