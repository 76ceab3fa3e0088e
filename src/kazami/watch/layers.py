"""From a live graph to layers: where a weight meets data, in the order of the forward pass."""

import weakref
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ..records.trace import Layer
from .graph import ACTIVATIONS, ADD, BATCH_NORM, MATRIX, NORM, PASS, RECURRENT, LiveGraph, Node, children, option, output_shape, saved
from .names import Names, layer_of
from .sharded import owner_of

# For each matrix operation: its operands as (position among the inputs, name of the saved tensor).
OPERANDS: dict[str, tuple[tuple[int, str], tuple[int, str]]] = {
    "Addmm": ((1, "mat1"), (2, "mat2")),
    "Mm": ((0, "self"), (1, "mat2")),
    "Bmm": ((0, "self"), (1, "mat2")),
    "Baddbmm": ((1, "batch1"), (2, "batch2")),
    "Convolution": ((0, "input"), (1, "weight")),
    "MkldnnConvolution": ((0, "self"), (1, "weight")),
    "Mv": ((0, "self"), (1, "vec")),
    "Addmv": ((1, "mat"), (2, "vec")),
    "Dot": ((0, "self"), (1, "tensor")),
    "Linear": ((0, "input"), (1, "weight")),
}

DATA_NAMES = tuple(dict.fromkeys(name for operands in OPERANDS.values() for _, name in operands))


@dataclass(slots=True)
class Sight:
    """What is seen of one layer at one step.

    Attributes:
        layer: The record that names it.
        weight: The parameter itself (or the frozen tensor autograd saved).
        is_trained: Whether gradients will accumulate in ``weight``.
        uses: The operations that use it, in forward order.
        inputs: The data operand of the first and of the last use, detached; ``None`` where autograd saved none.
        activation: The activation node that follows, with its kind, or ``None``.
        output_gradients: Root-mean-square of ∂L/∂output of each use, filled in during backward.
        memory: Room for observables that need a past; lasts as long as the layer.
        gradient: The gradient the optimizer consumed.
        update: The change of the sampled weights by the optimizer step.
        before: The sampled weights before the step.
        gradient_norm: Norm of the gradient.
        weight_norm: Norm of the weights, as last measured.
        update_norm: Norm of ``update``.
        before_norm: Norm of ``before``.
        reference_loss: Loss of the trivial predictor, for the wind.
        values: What was measured so far at this step, by quantity.
        reads_data: Whether its first input is the batch itself.
    """

    layer: Layer
    weight: Tensor
    is_trained: bool
    uses: list[Node] = field(default_factory=list)
    inputs: Tensor | None = None
    first_input: Tensor | None = None
    activation: Node | None = None
    activation_kind: str = "identity"
    output_gradients: list[float] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    gradient: Tensor | None = None
    update: Tensor | None = None
    before: Tensor | None = None
    gradient_norm: float = float("nan")
    weight_norm: float = float("nan")
    update_norm: float = float("nan")
    before_norm: float = float("nan")
    reference_loss: float = float("nan")
    values: dict[str, float] = field(default_factory=dict)
    reads_data: bool = False

    def activated(self) -> str:
        """Return what follows the layer; nothing for a normalisation, whose activation is that of the layer before it."""
        return self.activation_kind if self.activation is not None and self.layer.kind != "norm" else "identity"

    @property
    def unit_axis(self) -> int:
        """The axis of the output along which units lie: 1 for a convolution, the last otherwise."""
        return 1 if self.layer.kind == "conv" else -1


@dataclass(slots=True)
class Outline:
    """Where a trained layer lies in all graphs of one shape, so that it is found again without a search; it keeps no tensor alive.

    Attributes:
        layer: Its record.
        weight: Its parameter.
        leaf: Place of the parameter among the graph's nodes.
        uses: Places of the operations that use it.
        data: Place of the last operation that saved its data operand, and the operand's name.
        activation: Place of the activation that follows, -1 for none.
        activation_kind: What it is.
        memory: What its observables remember.
        reads_data: Whether its first input is the batch itself.
    """

    layer: Layer
    weight: weakref.ref[Tensor]
    leaf: int
    uses: tuple[int, ...]
    data: tuple[int, str] | None
    activation: int
    activation_kind: str
    memory: dict[str, Any]
    reads_data: bool


def outlines(graph: LiveGraph, sights: list[Sight]) -> list[Outline]:
    """Return where the trained layers of a graph lie."""
    places = {node: place for place, node in enumerate(graph.found)}
    leaves = {id(leaf): places[node] for node, leaf in graph.leaf_of.items()}
    return [
        Outline(
            sight.layer,
            weakref.ref(sight.weight),
            leaves[id(sight.weight)],
            tuple(places[use] for use in sight.uses),
            _place_of_data(sight, places),
            -1 if sight.activation is None else places[sight.activation],
            sight.activation_kind,
            sight.memory,
            sight.reads_data,
        )
        for sight in sights
        if sight.is_trained
    ]


def _place_of_data(sight: Sight, places: dict[Node, int]) -> tuple[int, str] | None:
    if sight.inputs is None:
        return None
    for use in reversed(sight.uses):
        for name in DATA_NAMES:
            tensor = saved(use, name)
            if tensor is not None and tensor.data_ptr() == sight.inputs.data_ptr() and tensor.shape == sight.inputs.shape:
                return places[use], name
    return None


def seen_again(graph: LiveGraph, known: list[Outline]) -> list[Sight] | None:
    """Return the layers of a graph whose shape is known; ``None`` where its parameters are others."""
    found, sights = graph.found, []
    for line in known:
        weight = line.weight()
        if weight is None or owner_of(found[line.leaf].variable) is not weight:
            return None
        sight = Sight(line.layer, weight, True, [found[place] for place in line.uses], memory=line.memory, activation_kind=line.activation_kind)
        sight.activation = found[line.activation] if line.activation >= 0 else None
        sight.inputs = saved(found[line.data[0]], line.data[1]) if line.data is not None else None
        sight.first_input, sight.reads_data = sight.inputs, line.reads_data
        sights.append(sight)
    return sights


def read_layers(graph: LiveGraph, names: Names) -> list[Sight]:
    """Return the layers of a graph, in order of first execution."""
    above = weights_above(graph)
    found: dict[int, Sight] = {}
    for node in graph.nodes:
        for weight, trained, data in _weights_of(graph, node, names):
            sight = found.get(id(weight) if trained else weight.data_ptr())
            if sight is None:
                sight = found[id(weight) if trained else weight.data_ptr()] = _new_sight(graph, node, weight, trained, names, above[node] == 0)
                sight.first_input = data
                sight.reads_data = data is not None and _reads_data(graph, node, weight)
            sight.uses.append(node)
            sight.inputs = data if data is not None else sight.inputs
    for sight in found.values():
        sight.layer = _finished(sight, graph)
    return list(found.values())


def _reads_data(graph: LiveGraph, node: Node, weight: Tensor) -> bool:
    """Return whether an operation's inputs are all leaves: nothing trained lies below it."""
    del weight
    return all(child in graph.leaf_of or graph.leaf_under(child) is not None for child in children(node))


def weights_above(graph: LiveGraph) -> dict[Node, int]:
    """Return for each node how many weights its output still meets on the longest way to the loss."""
    above: dict[Node, int] = dict.fromkeys(graph.nodes, 0)
    for node in reversed(graph.nodes):
        step = above[node] + (1 if graph.kinds[node] in MATRIX or graph.kinds[node] in RECURRENT else 0)
        for child in children(node):
            if child in above:
                above[child] = max(above[child], step)
    return above


def _weights_of(graph: LiveGraph, node: Node, names: Names) -> list[tuple[Tensor, bool, Tensor | None]]:
    """Return the weights used by one operation as (tensor, whether trained, the data it meets)."""
    name = graph.kinds[node]
    edges = [child for child, _ in node.next_functions]
    if name in OPERANDS:
        return _matrix_weight(graph, node, edges, names)
    if name in RECURRENT:
        leaves = [graph.leaf_of[edge] for edge in edges if edge in graph.leaf_of]
        return [(leaf, True, saved(node, "input")) for leaf in leaves if leaf.dim() >= 2]
    if name in ("Embedding", "EmbeddingBag", "EmbeddingDenseBackward") or name in NORM:
        position = 1 if name in NORM else 0
        leaf = graph.leaf_under(edges[position]) if len(edges) > position else None
        return [(leaf, True, saved(node, "input") if name in NORM else None)] if leaf is not None else []
    return []


def _matrix_weight(graph: LiveGraph, node: Node, edges: list[Node | None], names: Names) -> list[tuple[Tensor, bool, Tensor | None]]:
    operands = OPERANDS[graph.kinds[node]]
    for (weight_at, weight_name), (_, data_name) in (operands[::-1], operands):
        leaf = graph.leaf_under(edges[weight_at]) if weight_at < len(edges) else None
        if leaf is not None:
            return [(leaf, True, saved(node, data_name))]
        frozen = saved(node, weight_name) if weight_at < len(edges) and edges[weight_at] is None else None
        if frozen is not None and names.of_storage(frozen) is not None:
            return [(frozen, False, saved(node, data_name))]
    return []


def _new_sight(graph: LiveGraph, node: Node, weight: Tensor, trained: bool, names: Names, is_output: bool) -> Sight:
    name = graph.kinds[node]
    path = names.of(weight) if trained else names.of_storage(weight) or "frozen weight"
    sort = (
        "norm"
        if name in NORM
        else "recurrent"
        if name in RECURRENT
        else "embedding"
        if name.startswith("Embedding")
        else "conv"
        if "Conv" in name
        else "linear"
    )
    shape = output_shape(node) or tuple(weight.shape)
    units = int(weight.shape[0]) if sort in ("conv", "recurrent", "norm") else int(shape[-1]) if shape else 1
    units = units if units and weight.numel() % units == 0 else int(weight.shape[0]) if weight.dim() else 1
    layer = Layer(
        name=layer_of(path),
        kind=sort,
        shape=tuple(int(n) for n in weight.shape),
        fan_in=max(weight.numel() // max(units, 1), 1),
        fan_out=units,
        is_output=is_output,
    )
    return Sight(layer=layer, weight=weight, is_trained=trained)


def _finished(sight: Sight, graph: LiveGraph) -> Layer:
    """Return the layer's record completed by what follows its last use."""
    node, name, residual = following_activation(graph, sight.uses[-1])
    sight.activation, sight.activation_kind = node, name
    layer = sight.layer
    kind = "recurrent" if layer.kind == "linear" and feeds_itself(graph, sight.uses, sight.weight) else layer.kind
    return Layer(
        name=layer.name,
        kind=kind,
        shape=layer.shape,
        fan_in=layer.fan_in,
        fan_out=layer.fan_out,
        activation=name,
        is_output=layer.is_output,
        n_uses=len(sight.uses),
        is_residual=residual,
    )


def following_activation(graph: LiveGraph, node: Node) -> tuple[Node | None, str, bool]:
    """Return the first activation that ``node``'s output meets, its name, and whether it is added to an earlier signal on the way."""
    residual = False
    for _ in range(12):
        consumers = graph.consumers.get(node, [])
        for consumer in consumers:
            name = activation_name(graph, consumer)
            if name:
                return consumer, name, residual
        # Where the signal itself goes on, the addition to which it is carried past some layers is not its own.
        following = next((c for c in consumers if _added_to(graph, c, node) != "later"), consumers[0]) if consumers else None
        if following is None:
            return None, "identity", residual
        residual = residual or _added_to(graph, following, node) == "earlier"
        node, name = following, graph.kinds[following]
        if name not in PASS and name not in ADD and name not in NORM and name not in BATCH_NORM and not _only_scales(graph, node):
            return None, "identity", residual
    return None, "identity", residual


def _only_scales(graph: LiveGraph, node: Node) -> bool:
    """Return whether a product or quotient has one signal only: the rest are numbers and parameters (the scale of a residual branch)."""
    signals = [child for child in children(node) if graph.leaf_under(child) is None]
    return graph.kinds[node] in ("Mul", "Div") and len(signals) == 1


def activation_name(graph: LiveGraph, node: Node) -> str:
    """Return the name of an activation, empty where ``node`` is none; a ReLU may be written as a clamp at zero or a maximum with zero."""
    name = graph.kinds[node]
    if name in ("Clamp", "ClampMin") and option(node, "max") is None:
        low = option(node, "min")
        return "relu" if isinstance(low, int | float) and low == 0 else "clamp"
    if name == "Maximum":
        floor = saved(node, "other") if node.next_functions[1][0] is None else saved(node, "self") if node.next_functions[0][0] is None else None
        return "relu" if floor is not None and not bool(floor.any()) else ""
    return "" if name in ("LogSoftmax", "Pow", "Exp", "Log", "Sqrt") else ACTIVATIONS.get(name, "")


def _added_to(graph: LiveGraph, node: Node, signal: Node) -> str:
    """Return whether ``node`` adds ``signal`` to an ``"earlier"`` or a ``"later"`` signal; empty where it does not add two signals (a bias is none)."""
    others = [child for child in children(node) if child is not signal and graph.leaf_under(child) is None] if graph.kinds[node] in ADD else []
    if not others:
        return ""
    return "earlier" if others[0]._sequence_nr() < signal._sequence_nr() else "later"


def feeds_itself(graph: LiveGraph, uses: list[Node], weight: Tensor, reach: int = 60) -> bool:
    """Return whether the second use of a weight reads what the first one made (a recurrence over time)."""
    if len(uses) < 2 or _is_turned(graph, uses[0], weight) != _is_turned(graph, uses[1], weight):
        return False  # an encoder and the decoder that is its transpose
    stack, seen = children(uses[1]), set[Node]()
    while stack and len(seen) < reach:
        node = stack.pop()
        if node is uses[0] or node == uses[0]:
            return True
        if node not in seen and node not in graph.leaf_of:
            seen.add(node)
            stack.extend(children(node))
    return False


def _is_turned(graph: LiveGraph, use: Node, weight: Tensor) -> bool:
    """Return whether a weight is transposed on its way into an operation."""
    edge = next((child for child in children(use) if graph.leaf_under(child) is weight), None)
    turned = False
    while edge is not None and edge not in graph.leaf_of:
        turned ^= graph.kinds[edge] in ("T", "Transpose", "Permute")
        edge = next(iter(children(edge)), None)
    return turned
