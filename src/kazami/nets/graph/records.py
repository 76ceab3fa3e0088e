"""What a data-flow graph is made of: nodes, edges, and blocks of nodes that people think of as one thing."""

from dataclasses import asdict, dataclass
from typing import Any

QUANTITIES = ("input", "parameter", "buffer", "constant", "output")
ALWAYS = ("id", "kind", "source", "target", "shape", "dtype", "label")  # keys of the JSON document, whatever their value


@dataclass(frozen=True, slots=True)
class Node:
    """A quantity or an operation.

    Attributes:
        id: ``"n12"``, unique within the graph.
        kind: ``"input"``, ``"parameter"``, ``"buffer"``, ``"constant"``, ``"output"`` (these are quantities), ``"operation"``, or ``"decision"``
            where Python code read a value and may have gone another way.
        op: Name of an operation, ``"matmul"``, ``"conv2d"``, ``"relu"``; empty for quantities.
        label: The sign drawn for it: ``"X"``, ``"W"``, ``"·"``, ``"+"``.
        name: Full name: path of a parameter, name of an argument or of an output.
        module: Path of the module in whose ``forward`` it happened; empty for the model itself.
        shape: Sizes for the example; of several outputs those of the first.
        dims: The same as text; sizes that grow with the batch are written with ``N``.
        dtype: ``"float32"``.
        parameters: Number of elements of a parameter, else 0.
        uses: How often a quantity is read.
        details: Constants of the operation, as people write them (``"0.125"``, ``"stride 2"``).
    """

    id: str
    kind: str
    op: str
    label: str
    name: str = ""
    module: str = ""
    shape: tuple[int, ...] = ()
    dims: tuple[str, ...] = ()
    dtype: str = ""
    parameters: int = 0
    uses: int = 0
    details: str = ""

    @property
    def is_quantity(self) -> bool:
        """Whether it is drawn as a circle."""
        return self.kind in QUANTITIES


@dataclass(frozen=True, slots=True)
class Edge:
    """Data on their way from one node to another.

    Attributes:
        source: Id of the node they come from.
        target: Id of the node they go to.
        shape: Sizes for the example.
        dims: The same as text, ``N`` for the batch.
        dtype: ``"float32"``.
        kind: ``"data"``; ``"weight"`` where a parameter, buffer or constant enters; ``"skip"`` where data pass by operations that others of the
            target's inputs went through.
        slot: Which of the source's outputs, 0 for the first.
        name: Name of the hidden quantity, ``"H1"``, where it is the output of a layer.
    """

    source: str
    target: str
    shape: tuple[int, ...]
    dims: tuple[str, ...]
    dtype: str
    kind: str = "data"
    slot: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Nodes that are one thing to people, drawn as one box that opens.

    Attributes:
        id: ``"b3"``, unique within the graph.
        kind: ``"layer"`` (φ(X·W+b)), ``"norm"``, ``"recurrent"``, ``"attention"``, ``"reshape"``, ``"operation"`` (one that has parameters of its own), or
            ``"repeat"`` (equal parts one after the other).
        label: What it is: ``"linear"``, ``"conv2d"``, ``"attention"``, ``"× 12"``.
        formula: ``"φ(X·W + b)"``; empty where there is none.
        activation: Name of φ, empty without one.
        name: Name of the layer: path of its weight without ``.weight``, or of its module.
        nodes: Ids of all nodes in it, those of inner blocks too.
        parent: Id of the block it is part of, empty at the top.
        parameters: Elements of all parameters used in it, each counted once.
        parameter_names: Their names.
        uses: How often its weights are used: time steps of a recurrent net, 1 otherwise.
        repetitions: Of a repeat, the node ids of each repetition, those in the same place correspond; empty otherwise.
        shares_weights: Of a repeat, whether all repetitions use the same weights (an unrolled loop).
        shared_nodes: Ids of parameters outside that it uses together with other blocks.
    """

    id: str
    kind: str
    label: str
    formula: str = ""
    activation: str = ""
    name: str = ""
    nodes: tuple[str, ...] = ()
    parent: str = ""
    parameters: int = 0
    parameter_names: tuple[str, ...] = ()
    uses: int = 1
    repetitions: tuple[tuple[str, ...], ...] = ()
    shares_weights: bool = False
    shared_nodes: tuple[str, ...] = ()

    @property
    def times(self) -> int:
        """How many equal parts a repeat has, 1 for other blocks."""
        return max(1, len(self.repetitions))


def as_data(record: Node | Edge | Block) -> dict[str, Any]:
    """Return a record as plain data, without what is empty; sizes of shapes always stay."""
    return {name: value for name, value in asdict(record).items() if name in ALWAYS or value not in ("", (), 0, False, None)}
