"""The data-flow graph of forward and backward pass: quantities, operations, and which step of the walk computes what."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .backpropagation import Array, Backprop

# Lanes, from the forward pass across to the backward pass; where both meet stand the weights and, beside them, their gradients.
FORWARD, WEIGHT, GRADIENT, PRODUCT, BACKWARD = range(5)
Role = Literal["data", "weight", "gradient", "delta", "operation", "return"]
EdgeRole = Literal["forward", "weight", "backward", "kept", "kept-weight"]
Side = Literal["before", "after", "outer", "inner"]
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
GIVEN = -1  # in place of a step: known before the first


@dataclass(frozen=True, slots=True)
class Node:
    """A quantity (circle) or an operation (box).

    Attributes:
        id: For a quantity, the name of the step that computes it where there is one.
        lane: Which lane.
        column: How far along; columns count in the direction of the forward pass.
        label: What is written on it; a second line after a line break.
        role: What it looks like.
        step: Which step computes it, :data:`GIVEN` where none does.
        value: A quantity's numbers.
    """

    id: str
    lane: int
    column: int
    label: str
    role: Role
    step: int
    value: Array | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """What flows from one node into another.

    Attributes:
        start: Id of the node it leaves.
        end: Id of the node it enters.
        leaves: Which side of ``start``: before or after along the forward pass, outer towards the forward lane, inner towards the backward lane.
        enters: Which side of ``end``.
        role: ``"kept"`` is a number of the forward pass that the backward pass needs, ``"kept-weight"`` a weight that it needs.
        step: In which step it flows.
    """

    start: str
    end: str
    leaves: Side
    enters: Side
    role: EdgeRole
    step: int


@dataclass(frozen=True, slots=True)
class WalkGraph:
    """The graph of one forward and one backward pass."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    n_steps: int


def lowered(number: int) -> str:
    """Return a number as an index.

    >>> lowered(12)
    '₁₂'
    """
    return str(number).translate(_LOWERED)


def output_name(layer: int, last: int) -> str:
    """Return what the output of a layer is called: X for what comes in, H in between, Y for what comes out.

    >>> [output_name(layer, 2) for layer in range(3)]
    ['X', 'H₁', 'Y']
    """
    return "X" if layer == 0 else "Y" if layer == last else f"H{lowered(layer)}"


def graph_of(found: Backprop) -> WalkGraph:
    """Return the graph of the passes that ``found`` holds.

    Example:
        >>> from kazami.derivatives import backprop
        >>> walk = graph_of(backprop([[[3.0]]], [[0.0]], ["identity"], [[2.0]], [[1.0]]))
        >>> [node.id for node in walk.nodes if node.value is not None]
        ['A_0', 'W_1', 'b_1', 'Z_1', 'A_1', 'dW_1', 'db_1', 'delta_1', 'T', 'C']
    """
    order = {step.name: place for place, step in enumerate(found.steps())}
    last = len(found.sums)
    nodes = [Node("A_0", FORWARD, 0, "X", "data", order["A_0"], found.inputs[0])]
    edges: list[Edge] = []
    for layer in range(1, last + 1):
        nodes += _layer_nodes(found, layer, order)
        edges += _forward_edges(layer, order) + _backward_edges(layer, order, last)
    loss_nodes, loss_edges = _loss_part(found, order)
    return WalkGraph((*nodes, *loss_nodes), (*edges, *loss_edges), len(order))


def _layer_nodes(found: Backprop, layer: int, order: dict[str, int]) -> list[Node]:
    at, index, before = layer - 1, lowered(layer), output_name(layer - 1, len(found.sums))
    column = 5 * at
    Z, A, delta, dW, db = (order[f"{name}_{layer}"] for name in ("Z", "A", "delta", "dW", "db"))
    nodes = [
        Node(f"mul_{layer}", FORWARD, column + 1, "·", "operation", Z),
        Node(f"W_{layer}", WEIGHT, column + 1, f"W{index}", "weight", GIVEN, found.weights[at]),
        Node(f"add_{layer}", FORWARD, column + 2, "+", "operation", Z),
        Node(f"b_{layer}", WEIGHT, column + 2, f"b{index}", "weight", GIVEN, found.biases[at]),
        Node(f"Z_{layer}", FORWARD, column + 3, f"Z{index}", "data", Z, found.sums[at]),
        Node(f"phi_{layer}", FORWARD, column + 4, found.activations[at], "operation", A),
        Node(f"A_{layer}", FORWARD, column + 5, output_name(layer, len(found.sums)), "data", A, found.outputs[at]),
        Node(f"dW_{layer}", GRADIENT, column + 1, f"∂C\n∂W{index}", "gradient", dW, found.weight_gradients[at]),
        Node(f"db_{layer}", GRADIENT, column + 2, f"∂C\n∂b{index}", "gradient", db, found.bias_gradients[at]),
        Node(f"byW_{layer}", PRODUCT, column + 1, f"{before}ᵀ ·", "return", dW),
        Node(f"byb_{layer}", PRODUCT, column + 2, "Σ", "return", db),
        Node(f"delta_{layer}", BACKWARD, column + 3, f"δ{index}", "delta", delta, found.deltas[at]),
        Node(f"slope_{layer}", BACKWARD, column + 4, f"⊙ φ′(Z{index})", "return", delta),
    ]
    if layer > 1:
        nodes.append(Node(f"turn_{layer}", BACKWARD, column, f"· W{index}ᵀ", "return", order[f"delta_{layer - 1}"]))
    return nodes


def _forward_edges(layer: int, order: dict[str, int]) -> list[Edge]:
    Z, A = order[f"Z_{layer}"], order[f"A_{layer}"]
    along = [("A", -1, "mul", Z), ("mul", 0, "add", Z), ("add", 0, "Z", Z), ("Z", 0, "phi", A), ("phi", 0, "A", A)]
    chain = [Edge(f"{start}_{layer + back}", f"{end}_{layer}", "after", "before", "forward", step) for start, back, end, step in along]
    weights = [Edge(f"{start}_{layer}", f"{end}_{layer}", "outer", "inner", "weight", Z) for start, end in (("W", "mul"), ("b", "add"))]
    return chain + weights


def _backward_edges(layer: int, order: dict[str, int], last: int) -> list[Edge]:
    delta, dW, db = (order[f"{name}_{layer}"] for name in ("delta", "dW", "db"))
    edges = [
        Edge(f"Z_{layer}", f"slope_{layer}", "inner", "outer", "kept", delta),
        Edge(f"slope_{layer}", f"delta_{layer}", "before", "after", "backward", delta),
        Edge(f"A_{layer - 1}", f"byW_{layer}", "inner", "before", "kept", dW),
        Edge(f"delta_{layer}", f"byW_{layer}", "before", "inner", "backward", dW),
        Edge(f"byW_{layer}", f"dW_{layer}", "outer", "inner", "backward", dW),
        Edge(f"delta_{layer}", f"byb_{layer}", "outer", "after", "backward", db),
        Edge(f"byb_{layer}", f"db_{layer}", "outer", "inner", "backward", db),
    ]
    if layer > 1:
        before = order[f"delta_{layer - 1}"]
        edges += [
            Edge(f"delta_{layer}", f"turn_{layer}", "before", "after", "backward", before),
            Edge(f"W_{layer}", f"turn_{layer}", "before", "outer", "kept-weight", before),
            Edge(f"turn_{layer}", f"slope_{layer - 1}", "before", "after", "backward", before),
        ]
    return edges


def _loss_part(found: Backprop, order: dict[str, int]) -> tuple[list[Node], list[Edge]]:
    last = len(found.sums)
    column, C, delta = 5 * last + 1, order["C"], order[f"delta_{last}"]
    nodes = [
        Node("loss", FORWARD, column, "C(Y, T)", "operation", C),
        Node("T", WEIGHT, column, "T", "data", GIVEN, found.target),
        Node("C", FORWARD, column + 1, "C", "data", C, np.array(found.loss)),
        Node("dloss", BACKWARD, column, "∂C/∂Y", "return", delta),
    ]
    edges = [
        Edge(f"A_{last}", "loss", "after", "before", "forward", C),
        Edge("T", "loss", "outer", "inner", "forward", C),
        Edge("loss", "C", "after", "before", "forward", C),
        Edge("C", "dloss", "inner", "after", "backward", delta),
        Edge(f"A_{last}", "dloss", "inner", "outer", "kept", delta),
        Edge("T", "dloss", "inner", "outer", "kept", delta),
        Edge("dloss", f"slope_{last}", "before", "after", "backward", delta),
    ]
    return nodes, edges
