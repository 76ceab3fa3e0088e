"""Losses recognised in the live graph: those of ``torch.nn.functional``, and those written by hand as squared or absolute errors or cross-entropies.

Read from the graph and not from wrapped functions, so that a loss function that was bound before kazami came is seen like any other.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .graph import ACTIVATIONS, PASS, LiveGraph, Node, children, option, output_shape, saved
from .losses import LossCall
from .sharded import is_sharded

SOFT = PASS | {"Clamp", "ClampMin", "ClampMax"}


def losses_in(graph: LiveGraph, above: dict[Node, int]) -> list[LossCall]:
    """Return the losses found between the last weights and the root: loss functions first, hand-written forms only where there are none.

    Limits:
        Of hand-written losses it sees ``(y - t)**2``, ``(y - t).abs()``, ``log_p[range(n), t]``, ``log_p.gather(1, t)`` and ``mask * log_p``; other forms
        stay unseen.
    """
    for readers in (_FUNCTIONS, _WRITTEN):
        found = [readers[graph.kinds[node]](graph, node) for node in graph.nodes if above[node] == 0 and graph.kinds[node] in readers]
        if any(call is not None for call in found):
            return [call for call in found if call is not None]
    return []


REDUCTIONS = {0: "none", 1: "mean", 2: "sum"}


def _function(kind: str) -> Callable[[LiveGraph, Node], LossCall | None]:
    def read(graph: LiveGraph, node: Node) -> LossCall | None:
        output, target = saved(node, "self"), saved(node, "target")
        if output is None or target is None:
            return None
        options: dict[str, Any] = {"reduction": REDUCTIONS.get(option(node, "reduction", 1), "mean")}
        if kind == "nll":
            ignored = int(option(node, "ignore_index", -100))
            options["ignore_index"] = ignored - 2**64 if ignored >= 2**63 else ignored  # autograd gives it unsigned
            options["label_smoothing"] = _smoothing(graph, node, output.shape[1] if output.dim() > 1 else output.shape[0])
            below = graph.below(children(node)[0]) if children(node) else None
            return LossCall("cross_entropy" if below is not None and graph.kinds[below] == "LogSoftmax" else "nll", output, target, node, options)
        expanded = children(node)[0] if children(node) else None
        if expanded is not None and graph.kinds[expanded] == "Expand":
            inner = children(expanded)
            options["shape"] = output_shape(inner[0]) if inner else None
        return LossCall(kind, output, target, node, options)

    return read


def _smoothing(graph: LiveGraph, node: Node, n_classes: int) -> float:
    """Return the label smoothing s of a cross-entropy, which torch writes as (1 - s) · nll + s/K · Σ(-log p)."""
    for product in graph.consumers.get(node, []):
        share = option(product, "other") if graph.kinds[product] == "Mul" else None
        sums = [c for c in graph.consumers.get(product, []) if graph.kinds[c] == "Add"]
        if not isinstance(share, float) or not 0 <= share < 1 or not sums:
            continue
        others = [option(child, "other") for child in children(sums[0]) if child is not product and graph.kinds[child] == "Mul"]
        if any(isinstance(other, float) and abs(other * n_classes - (1 - share)) < 1e-9 for other in others):
            return 1 - share
    return 0.0


def output_of(graph: LiveGraph, node: Node | None) -> Tensor | None:
    """Return the value that ``node`` put out, from what autograd saved, or by repeating one matrix product; ``None`` where neither is possible."""
    shapes: list[Node] = []
    while node is not None and graph.kinds[node] in ("View", "Squeeze", "Unsqueeze", "Select", "ReshapeAlias"):
        shapes.append(node)
        below = children(node)
        node = below[0] if len(below) == 1 else None
    if node is None:
        return None
    name = graph.kinds[node]
    if name in ("Sigmoid", "Tanh", "Softmax", "Relu", "LogSoftmax", "Exp"):
        value = saved(node, "result")
    elif name == "Addmm":
        bias = graph.leaf_of.get(node.next_functions[0][0])
        left, right = saved(node, "mat1"), saved(node, "mat2")
        if right is None and left is not None:
            leaf = graph.leaf_under(node.next_functions[2][0])
            right = leaf.detach().t() if leaf is not None and leaf.shape[-1] == left.shape[-1] else None
        value = left @ right + bias.detach() if left is not None and right is not None and bias is not None and not is_sharded(bias) else None
    else:
        value = None
    if value is None or not shapes:
        return value
    try:
        return value.reshape(tuple(int(n) for n in shapes[0]._input_metadata[0].shape))
    except RuntimeError:
        return None


def _squared(graph: LiveGraph, node: Node) -> LossCall | None:
    exponent = option(node, "exponent")
    if not isinstance(exponent, int | float) or exponent != 2:
        return None
    return _residual(graph, node, saved(node, "self"), "mse")


def _product(graph: LiveGraph, node: Node) -> LossCall | None:
    edges = [child for child, _ in node.next_functions]
    if len(edges) == 2 and edges[0] is not None and (edges[0] == edges[1] or _is_same_difference(graph, node, edges)):
        return _residual(graph, node, saved(node, "self"), "mse")
    return _masked(graph, node, edges)


def _is_same_difference(graph: LiveGraph, node: Node, edges: list[Node | None]) -> bool:
    """Return whether both factors are differences with the same value: ``(y - t) * (y - t)``."""
    left, right = saved(node, "self"), saved(node, "other")
    return all(edge is not None and graph.kinds[edge] == "Sub" for edge in edges) and left is not None and right is not None and torch.equal(left, right)


def _absolute(graph: LiveGraph, node: Node) -> LossCall | None:
    return _residual(graph, node, saved(node, "self"), "l1")


def _residual(graph: LiveGraph, node: Node, residual: Tensor | None, kind: str) -> LossCall | None:
    below = graph.below(children(node)[0]) if children(node) else None
    if residual is None or below is None or graph.kinds[below] not in ("Sub", "Rsub"):
        return None
    edges = [child for child, _ in below.next_functions]
    if len(edges) != 2 or (edges[0] is None) == (edges[1] is None):
        return None
    position = 0 if edges[0] is not None else 1
    predicted = output_of(graph, edges[position])
    if predicted is None:
        return None
    try:
        target = predicted - residual if position == 0 else predicted + residual
    except RuntimeError:
        return None
    return LossCall(kind, predicted.expand_as(target), target, node, {"reduction": "mean", "handwritten": True})


def _gathered(graph: LiveGraph, node: Node) -> LossCall | None:
    index = saved(node, "index")
    if index is None:
        indices: Any = option(node, "indices", ())
        whole = [i for i in indices if isinstance(i, Tensor) and not i.is_floating_point()]
        index = whole[-1].detach() if len(whole) == 2 else None
    source = graph.below(children(node)[0], frozenset({"Neg", "View", "Clone"})) if children(node) else None
    if index is None or source is None or graph.kinds[source] not in ("LogSoftmax", "Log"):
        return None
    log_p = saved(source, "result") if graph.kinds[source] == "LogSoftmax" else _log(saved(source, "self"))
    if log_p is None or log_p.dim() < 2:
        return None
    return LossCall("nll", log_p.reshape(-1, log_p.shape[-1]), index.reshape(-1).long(), node, {"reduction": "mean", "handwritten": True})


def _masked(graph: LiveGraph, node: Node, edges: list[Node | None]) -> LossCall | None:
    live = [edge for edge in edges if edge is not None]
    mask = saved(node, "self") if edges[0] is None else saved(node, "other") if len(edges) > 1 and edges[1] is None else None
    source = graph.below(live[0], frozenset({"Neg", "View"})) if len(live) == 1 else None
    if mask is None or source is None or mask.dim() == 0 or graph.kinds[source] not in ("LogSoftmax", "Log"):
        return None
    log_p = saved(source, "result") if graph.kinds[source] == "LogSoftmax" else _log(saved(source, "self"))
    if log_p is None or log_p.shape != mask.shape or float(mask.min()) < 0 or float(mask.max()) > 1:
        return None
    if mask.dim() >= 2 and mask.shape[-1] > 1 and bool(torch.allclose(mask.sum(-1), torch.ones_like(mask.sum(-1)), atol=1e-4)):
        return LossCall(
            "cross_entropy", log_p.reshape(-1, log_p.shape[-1]), mask.reshape(-1, mask.shape[-1]).float(), node, {"reduction": "mean", "handwritten": True}
        )
    below = graph.below(children(source)[0], SOFT | {"Add"}) if children(source) else None
    if below is not None and ACTIVATIONS.get(graph.kinds[below]) == "sigmoid":
        return LossCall("bce", log_p.exp(), mask.float(), node, {"reduction": "mean", "handwritten": True})
    return None


def _log(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.log()


_FUNCTIONS = {
    "NllLoss": _function("nll"),
    "NllLoss2D": _function("nll"),
    "MseLoss": _function("mse"),
    "BinaryCrossEntropy": _function("bce"),
    "BinaryCrossEntropyWithLogits": _function("bce_with_logits"),
    "SmoothL1Loss": _function("smooth_l1"),
    "HuberLoss": _function("huber"),
    "KlDiv": _function("kl_div"),
}
_WRITTEN = {"Pow": _squared, "Mul": _product, "Abs": _absolute, "Gather": _gathered, "Index": _gathered}
