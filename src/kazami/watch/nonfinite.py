"""The first tensor that is not finite: walked from batch and weights over the operations to the loss, on the live graph."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .found_losses import output_of
from .graph import ACTIVATIONS, LOSSES, PASS, LiveGraph, Node, children, option, saved
from .layers import Sight
from .names import Names

RESULTS = ("result", "output", "result0", "result1")
OPERANDS = ("self", "mat1", "mat2", "input", "other", "batch1", "batch2", "vec", "target", "weight", "exponent")
WORDS = {"Div": "div", "LinalgVectorNorm": "norm", "Norm": "norm", "Std": "std", "Var": "var", "Softmax": "softmax", "LogSoftmax": "log_softmax"}


def is_finite(tensor: Tensor | None) -> bool:
    """Return whether all numbers are finite; tensors of integers and absent tensors are."""
    return tensor is None or not (tensor.is_floating_point() or tensor.is_complex()) or bool(torch.isfinite(tensor).all())


def first_bad_place(graph: LiveGraph, layers: Sequence[Sight], names: Names) -> dict[str, Any]:
    """Return where the first non-finite number of a forward pass came from.

    Returns:
        ``{"source": "weight" | "batch" | "target" | "operation" | "unknown", "place": …, "operation": …, "value": "nan" | "inf"}``.
    """
    for leaf in graph.leaves.values():
        if not is_finite(leaf.detach()):
            return {"source": "weight", "place": names.of(leaf), "operation": "", "value": word(leaf.detach())}
    for node in graph.nodes:
        bad = _bad_here(graph, node)
        if bad is not None:
            source, operation, value, culprit = bad
            layer = nearest_layer(graph, culprit, layers)
            place = {"batch": "the batch", "target": "the target of the loss"}.get(source, f"{operation} after {layer}" if layer else operation)
            return {"source": source, "place": place, "operation": operation, "value": value, "layer": layer, "format": _format(culprit)}
    return {"source": "unknown", "place": "the loss", "operation": "", "value": "nan"}


def overflows(graph: LiveGraph, node: Node) -> bool:
    """Return whether a power or a product of finite float16 numbers lies beyond float16, which nothing behind it may have saved."""
    base, other = saved(node, "self"), saved(node, "other")
    if base is None or base.dtype is not torch.float16 or graph.kinds[node] not in ("Pow", "Mul"):
        return False
    exponent = option(node, "exponent")
    if graph.kinds[node] == "Pow":
        value = base.float() ** exponent if isinstance(exponent, int | float) and exponent > 0 else None
    else:
        value = base.float() * other.float() if other is not None else None
    return value is not None and bool(torch.isfinite(base).all()) and bool((value.abs() > torch.finfo(torch.float16).max).any())


def _format(node: Node) -> str:
    """Return the type of the numbers that an operation puts out, empty where autograd does not say."""
    try:
        return str(node._input_metadata[0].dtype).removeprefix("torch.")
    except (AttributeError, IndexError, RuntimeError):
        return ""


def _bad_here(graph: LiveGraph, node: Node) -> tuple[str, str, str, Node] | None:
    name = graph.kinds[node]
    for saved_name in OPERANDS:
        tensor = saved(node, saved_name)
        if tensor is None or is_finite(tensor):
            continue
        if saved_name == "target":
            return "target", "", word(tensor), node
        producer = _producer(graph, node, saved_name)
        if producer is None:
            return "batch", "", word(tensor), node
        if _comes_from_data(graph, producer):
            return "target", "", word(tensor), producer
        return "operation", operation_name(graph.kinds[producer]), word(tensor), producer
    if overflows(graph, node):
        return "operation", operation_name(name), "inf", node
    if singular(graph, node, forward=True):
        return "operation", operation_name(name), "inf" if name in ("Log", "Reciprocal", "Div", "Exp") else "nan", node
    for saved_name in RESULTS:
        tensor = saved(node, saved_name)
        if not is_finite(tensor) and tensor is not None:
            return "operation", operation_name(name), word(tensor), node
    return None


def _producer(graph: LiveGraph, node: Node, saved_name: str) -> Node | None:
    """Return the operation that made an operand; ``None`` where it is data."""
    edges = [child for child, _ in node.next_functions]
    position = {"mat1": len(edges) - 2, "mat2": len(edges) - 1, "other": 1, "batch1": len(edges) - 2, "batch2": len(edges) - 1, "weight": 1, "vec": 1}.get(
        saved_name, 0
    )
    edge = edges[position] if position < len(edges) else None
    while edge is not None and graph.kinds[edge] in PASS and children(edge):
        edge = children(edge)[0]
    return None if edge is None or edge in graph.leaf_of else edge


def singular(graph: LiveGraph, node: Node, *, forward: bool) -> bool:
    """Return whether an operation stands at a point where its value (``forward``) or its derivative is not finite."""
    test = (_VALUE if forward else _DERIVATIVE).get(graph.kinds[node])
    return test is not None and test(node)


def singular_operations(graph: LiveGraph, layers: Sequence[Sight]) -> list[dict[str, Any]]:
    """Return the operations whose derivative is infinite at this batch though their value may be finite (√ at 0, log at 0, x/0 …)."""
    found = []
    for node in graph.nodes:
        if graph.kinds[node] in _DERIVATIVE and singular(graph, node, forward=False):
            operation, layer = operation_name(graph.kinds[node]), nearest_layer(graph, node, layers)
            found.append(
                {"source": "gradient", "operation": operation, "place": f"{operation} after {layer}" if layer else operation, "value": "nan", "layer": layer}
            )
    return found


def nearest_layer(graph: LiveGraph, node: Node, layers: Sequence[Sight]) -> str:
    """Return the name of the last layer under ``node`` (the first that a walk towards the inputs meets)."""
    used = {use: sight.layer.name for sight in layers for use in sight.uses}
    queue, seen = [node], {node}
    for item in queue:
        if item in used:
            return used[item]
        fresh = [child for child in children(item) if child not in seen and child not in graph.leaf_of]
        seen.update(fresh)
        queue.extend(fresh)
    return ""


def operation_name(kind: str) -> str:
    """Return the name a user would write for an autograd operation: ``"Sqrt"`` is ``sqrt``, ``"NllLoss"`` is ``cross_entropy``."""
    return WORDS.get(kind) or ACTIVATIONS.get(kind) or LOSSES.get(kind) or kind.lower()


def word(tensor: Tensor) -> str:
    """Return ``"nan"`` or ``"inf"``, whichever a non-finite tensor holds (nan first)."""
    return "nan" if bool(torch.isnan(tensor).any()) else "inf"


def _holds(condition: Callable[..., Tensor], *names: str) -> Callable[[Node], bool]:
    def test(node: Node) -> bool:
        tensors = [saved(node, name) for name in names]
        return all(t is not None for t in tensors) and bool(condition(*tensors).any())

    return test


def _comes_from_data(graph: LiveGraph, node: Node) -> bool:
    """Return whether a difference of a prediction and data is not finite though the prediction is."""
    edges = [child for child, _ in node.next_functions]
    if graph.kinds[node] not in ("Sub", "Rsub") or len(edges) != 2 or (edges[0] is None) == (edges[1] is None):
        return False
    predicted = output_of(graph, edges[0] if edges[0] is not None else edges[1])
    return predicted is not None and is_finite(predicted)


def _power_fails(node: Node) -> bool:
    base, exponent = saved(node, "self"), option(node, "exponent")
    if base is None or exponent is None or isinstance(exponent, Tensor | complex) or base.is_complex():
        return False
    return bool((float(exponent) < 0 and (base == 0).any()) or (float(exponent) % 1 != 0 and (base < 0).any()))


def _pow_at_zero(node: Node) -> bool:
    base, exponent = saved(node, "self"), option(node, "exponent")
    if base is None or exponent is None or isinstance(exponent, Tensor):
        return False
    return float(exponent) < 1 and bool((base == 0).any())


_VALUE: dict[str, Callable[[Node], bool]] = {
    "Log": _holds(lambda x: x <= 0, "self"),
    "Log2": _holds(lambda x: x <= 0, "self"),
    "Log10": _holds(lambda x: x <= 0, "self"),
    "Log1P": _holds(lambda x: x <= -1, "self"),
    "Div": _holds(lambda x: x == 0, "other"),
    "Exp": _holds(torch.isinf, "result"),
    "Sqrt": _holds(torch.isnan, "result"),
    "Rsqrt": _holds(lambda x: ~torch.isfinite(x), "result"),
    "Reciprocal": _holds(torch.isinf, "result"),
    "Pow": _power_fails,
}
_DERIVATIVE: dict[str, Callable[[Node], bool]] = {
    "Sqrt": _holds(lambda x: x == 0, "result"),
    "Rsqrt": _holds(lambda x: ~torch.isfinite(x), "result"),
    "Log": _holds(lambda x: x <= 0, "self"),
    "Div": _holds(lambda x: x == 0, "other"),
    "Pow": _pow_at_zero,
    "Std": _holds(lambda x: x == 0, "result"),
    "Acos": _holds(lambda x: x.abs() >= 1, "self"),
    "Asin": _holds(lambda x: x.abs() >= 1, "self"),
    "Exp": _holds(torch.isinf, "result"),
    "Atan2": _holds(lambda a, b: (a == 0) & (b == 0), "self", "other"),
    "Reciprocal": _holds(torch.isinf, "result"),
    "Log1P": _holds(lambda x: x <= -1, "self"),
}
