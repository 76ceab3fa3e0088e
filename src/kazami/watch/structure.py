"""Exact structural facts that one live graph shows: what stands before the loss, what was broadcast, whether anything bends."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .graph import ACTIVATIONS, ADD, BATCH_NORM, LOSSES, MATRIX, PASS, RECURRENT, LiveGraph, Node, children, option, output_shape, saved
from .layers import Sight
from .losses import LossCall
from .misfits import misfits
from .score_branches import score_branches

SOFT = PASS | {"Clamp", "ClampMin", "ClampMax", "Add"}
SQUASHING = {"softmax", "sigmoid", "tanh", "relu", "hardtanh", "hardsigmoid", "leaky_relu", "log_sigmoid"}
RANGES = {
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "hardsigmoid": (0.0, 1.0),
    "softplus": (0.0, float("inf")),
    "exp": (0.0, float("inf")),
}
RESHAPES = frozenset({"View", "ReshapeAlias", "UnsafeView", "Unsqueeze", "Squeeze"})
CLASS_AXIS = 1  # where nll_loss and cross_entropy look for the classes
UNBOUNDED_LOSSES = ("mse", "l1", "smooth_l1", "huber")


def read_structure(graph: LiveGraph, above: dict[Node, int], layers: Sequence[Sight], calls: Sequence[LossCall]) -> dict[str, Any]:
    """Return the structural facts of a graph, by name; a fact that does not hold is absent."""
    facts: dict[str, Any] = {}
    for node in graph.nodes:
        if above[node] == 0:
            facts |= _before_loss(graph, node)
    facts |= _broadcast(graph, above, calls)
    facts |= _output_range(graph, layers, calls)
    facts |= affine_chain(graph, above)
    facts |= _dropout(graph)
    return facts | misfits(graph, above, calls) | score_branches(graph, layers)


def _source(graph: LiveGraph, node: Node, through: frozenset[str] = PASS) -> tuple[Node | None, str]:
    below = children(node)
    found = graph.below(below[0], through) if below else None
    return found, graph.kinds[found] if found is not None else ""


def _before_loss(graph: LiveGraph, node: Node) -> dict[str, Any]:
    name = graph.kinds[node]
    if name == "LogSoftmax":
        return _before_log_softmax(graph, node)
    if name == "Log":
        below, source = _source(graph, node, frozenset(SOFT))
        return {"log_of_softmax": {"activation": "softmax"}} if source == "Softmax" and below is not None else {}
    if name == "LogSigmoidForward" or name == "LogSigmoid":
        return {}
    if name in ("NllLoss", "NllLoss2D"):
        return _before_nll(graph, node)
    if name == "BinaryCrossEntropyWithLogits":
        _, source = _source(graph, node)
        activation = ACTIVATIONS.get(source, "")
        return {"activation_before_logits_loss": {"activation": activation, "loss": "binary_cross_entropy_with_logits"}} if activation in SQUASHING else {}
    return {}


def _before_log_softmax(graph: LiveGraph, node: Node) -> dict[str, Any]:
    _, source = _source(graph, node)
    activation = ACTIVATIONS.get(source, "")
    if activation == "softmax":
        return {"softmax_before_log_softmax": {"activation": "softmax", "loss": "cross_entropy"}}
    if activation in SQUASHING and activation != "leaky_relu":
        return {"activation_before_logits_loss": {"activation": activation, "loss": "cross_entropy"}}
    return {}


def _before_nll(graph: LiveGraph, node: Node) -> dict[str, Any]:
    axis = _softmax_axis(graph, node)
    if axis is not None:
        return {"softmax_axis": axis}
    below, source = _source(graph, node)
    if source == "Add" and below is not None and any(child in graph.leaf_of for child in children(below)):  # a layer's bias, added to its product
        rest = [child for child in children(below) if child not in graph.leaf_of]
        below = graph.below(rest[0]) if len(rest) == 1 else below
        source = graph.kinds[below] if below is not None else ""
    activation = ACTIVATIONS.get(source, "")
    if source in ("LogSoftmax", "Log", "LogSigmoid", "LogSigmoidForward", "Logsumexp", "Sub", "Add", "Logaddexp") or below is None:
        return {}
    if activation in ("softmax", "sigmoid") or source in MATRIX:
        return {"nll_without_log": {"activation": activation or "identity", "loss": "nll_loss"}}
    return {}


def _softmax_axis(graph: LiveGraph, node: Node) -> dict[str, int] | None:
    """Return the axis of a log-softmax right before ``nll_loss`` if it is not that of the classes.

    A square table whose targets are all different compares samples with samples, and either axis may be meant.
    """
    below, target = children(node)[:1], saved(node, "target")
    while below and graph.kinds[below[0]] in RESHAPES and _keeps_classes(below[0]):
        below = children(below[0])[:1]
    table = saved(below[0], "result") if below and graph.kinds[below[0]] == "LogSoftmax" else None
    if table is None or target is None or table.dim() < 2:
        return None
    axis = int(option(below[0], "dim", CLASS_AXIS))
    axis = (axis - 2**64 if axis >= 2**63 else axis) % table.dim()  # autograd gives it unsigned
    is_matching = table.dim() == 2 and table.shape[0] == table.shape[1] and target.unique().numel() == target.numel()
    return None if axis == CLASS_AXIS or is_matching else {"axis": axis, "classes": CLASS_AXIS, "size": int(table.shape[axis])}


def _keeps_classes(node: Node) -> bool:
    """Return whether an operation changes no more than the axes behind that of the classes."""
    below = children(node)
    before, after = output_shape(below[0]) if below else None, output_shape(node)
    return before is not None and after is not None and before[: CLASS_AXIS + 1] == after[: CLASS_AXIS + 1]


def _broadcast(graph: LiveGraph, above: dict[Node, int], calls: Sequence[LossCall]) -> dict[str, Any]:
    """Output and target of different shapes that broadcast into a table of all pairs."""
    for call in calls:
        inner, joint = call.options.get("shape"), tuple(call.output.shape)
        if call.kind in (*UNBOUNDED_LOSSES, "bce") and inner is not None and _product(joint) > _product(inner) > 1:
            return {"target_broadcast": {"output": list(inner), "target": _before_expansion(call.target)}}
    for node in graph.nodes:
        fact = _handwritten_broadcast(graph, node) if above[node] == 0 and graph.kinds[node] in ("Sub", "Rsub", "Mul") else None
        if fact is not None:
            return {"target_broadcast": fact}
    return {}


def _before_expansion(target: Tensor) -> list[int]:
    """Return the shape of a tensor before it was expanded: the axes that take no memory were not there, or of size 1."""
    shape = [1 if stride == 0 else size for size, stride in zip(target.shape, target.stride(), strict=True)]
    while len(shape) > 1 and shape[0] == 1:
        shape.pop(0)
    return shape


def _product(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


def _handwritten_broadcast(graph: LiveGraph, node: Node) -> dict[str, Any] | None:
    edges = [child for child, _ in node.next_functions]
    shape = output_shape(node)
    if shape is None or len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2 or len(edges) != 2 or (edges[0] is None) == (edges[1] is None):
        return None
    live = edges[0] if edges[0] is not None else edges[1]
    while graph.kinds[live] == "Expand":
        live = children(live)[0]
    inner = output_shape(live)
    if inner in ((shape[0], 1), (1, shape[0])) or inner == (shape[0],):
        other = (shape[0],) if len(inner) == 2 else (shape[0], 1)
        return {"output": list(inner), "target": list(other)}
    return None


def _output_range(graph: LiveGraph, layers: Sequence[Sight], calls: Sequence[LossCall]) -> dict[str, Any]:
    last = [sight for sight in layers if sight.layer.is_output]
    for call in calls:
        before = ACTIVATIONS.get(_source(graph, call.node)[1], "")  # what the loss reads, with or without a layer right below it
        activation = before if before in RANGES else last[-1].activation_kind if last else ""
        if call.kind not in UNBOUNDED_LOSSES or activation not in RANGES:
            continue
        low, high = RANGES[activation]
        if call.target.numel() == 0 or not _lies_in(call.output, low, high):  # an output beyond the range was scaled again after the activation
            continue
        target = call.target.float()
        width = float(target.max() - target.min()) or 1.0
        outside = float(((target < low - 0.02 * width) | (target > high + 0.02 * width)).float().mean())
        return {
            "output_range": {
                "activation": activation,
                "low": low,
                "high": high,
                "target_low": float(target.min()),
                "target_high": float(target.max()),
                "outside": outside,
                "layer": last[-1].layer.name if last else "the output",
            }
        }
    return {}


def _lies_in(values: Tensor, low: float, high: float) -> bool:
    return values.numel() > 0 and float(values.min()) >= low - 1e-3 and float(values.max()) <= high + 1e-3


def _dropout(graph: LiveGraph) -> dict[str, Any]:
    """Return the largest dropout rate: from the operation, or from a mask of zeros and one other number c with a share of zeros near 1 - 1/c."""
    rates = [rate for node in graph.nodes if (rate := _dropout_rate(graph, node)) is not None]
    return {"dropout": {"rate": max(rates)}} if rates else {}


def _dropout_rate(graph: LiveGraph, node: Node) -> float | None:
    name = graph.kinds[node]
    if name == "NativeDropout":
        return float(option(node, "p", 0.0))
    if name != "Mul" or len(node.next_functions) != 2 or node.next_functions[1][0] is not None:
        return None
    mask = saved(node, "other")
    if mask is None or mask.numel() < 16 or not mask.is_floating_point():
        return None
    mask = mask.reshape(-1)[:4096]
    top = float(mask.max())
    if top <= 1.0 or not bool(((mask == 0) | (mask == top)).all()):
        return None
    rate = 1 - 1 / top
    return rate if abs(float((mask == 0).float().mean()) - rate) < 0.1 else None


def affine_chain(graph: LiveGraph, above: dict[Node, int]) -> dict[str, Any]:
    """Return ``{"affine_chain": …}`` when two or more weight layers follow one another with nothing between that bends.

    Batch normalisation counts as linear (it is affine at evaluation). A layer narrower than both its ends makes a rank limit on purpose (auto-encoder,
    factorisation) and is told.
    """
    state: dict[Node, tuple[int, bool, int, int, int]] = {}  # weights met, still affine, narrowest width, first fan-in, last width
    found: list[tuple[int, bool, int, int, int]] = []
    for node in graph.nodes:
        state[node] = _bend(graph, node, [state[c] for c in children(node) if c in state])
        is_last = above[node] == 0 and graph.kinds[node] in MATRIX
        if is_last and state[node][0] >= 2:
            found.append(state[node])
    if not found or not all(affine for _, affine, *_ in found):
        return {}
    depth, _, narrowest, first, last = max(found)
    return {"affine_chain": {"layers": depth, "narrowest": narrowest, "inputs": first, "outputs": last}}


def _bend(graph: LiveGraph, node: Node, below: list[tuple[int, bool, int, int, int]]) -> tuple[int, bool, int, int, int]:
    name = graph.kinds[node]
    deepest = max(below, default=(0, True, 1 << 30, 0, 0))
    affine = all(item[1] for item in below)
    if name in MATRIX:
        edges = [child for child, _ in node.next_functions]
        weights = [edge for edge in edges if edge is not None and graph.leaf_under(edge) is not None]
        data = [edge for edge in edges if edge is not None and edge in state_like(graph, edge) and graph.leaf_under(edge) is None]
        if len(data) > 1 or not weights:
            return (deepest[0], affine and len(data) <= 1, *deepest[2:])
        shape = output_shape(node) or (1, 1)
        width = shape[1] if "Conv" in name and len(shape) > 1 else shape[-1]
        matrix = saved(node, "mat1", "self", "input")
        first = deepest[3] or (int(matrix.shape[-1]) if matrix is not None and matrix.dim() else width)
        return (deepest[0] + 1, affine, min(deepest[2], deepest[4] or 1 << 30), first, width)
    if name in PASS or name in ADD or name in BATCH_NORM or name in LOSSES:
        return (deepest[0], affine, *deepest[2:])
    if name in ("Mul", "Div") and len(below) <= 1:
        return (deepest[0], affine and not (name == "Div" and node.next_functions[0][0] is None), *deepest[2:])
    if name in RECURRENT:
        return (deepest[0] + 1, False, *deepest[2:])
    return (deepest[0], affine and deepest[0] == 0, *deepest[2:])


def state_like(graph: LiveGraph, node: Node) -> tuple[Node, ...]:
    """Return ``(node,)`` where ``node`` is an operation and not a leaf, else nothing."""
    return () if node in graph.leaf_of else (node,)
