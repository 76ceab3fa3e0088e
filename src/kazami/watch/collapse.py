"""Outputs that do not depend on the inputs: how much of the targets' variation they have, and losses that only ask a network to agree with itself."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .found_losses import output_of
from .graph import LiveGraph, Node, output_shape
from .layers import Sight
from .losses import LossCall
from .observables import signal
from .sharded import is_sharded

MOST_NUMBERS = 65536
MOST_ANSWERS = 1024
JOINS = frozenset({"Sub", "Rsub", "Mul", "Mm", "Bmm", "MseLoss", "SmoothL1Loss", "HuberLoss", "CosineSimilarity"})
CLASSES = ("cross_entropy", "nll")
VALUES = ("mse", "l1", "smooth_l1", "huber", "bce", "bce_with_logits")


def collapse_numbers(graph: LiveGraph, above: dict[Node, int], sights: Sequence[Sight], calls: Sequence[LossCall]) -> dict[str, float]:
    """Return ``output_variation``, ``head_spread`` and, where two outputs of one network are compared, ``embedding_spread``; what cannot be told is absent.

    * ``output_variation``: standard deviation over the samples of what the network says (probabilities for classes) over that of the targets in the same
      batch, root-mean-square over outputs: 0 says the same of every sample, and of a prediction of the best size it is the square root of what it explains.
    * ``answered_classes``: how many classes are put first for one sample or more, in batches that hold two or more.
    * ``head_spread``: standard deviation over the samples of the last layer's output.
    * ``embedding_spread``: the same of the output scaled to length one, times the square root of its dimension: 1 is spread over the sphere, 0 one point.
    """
    numbers = {"output_variation": max((variation(call) for call in calls), default=math.nan), "head_spread": _head_spread(sights)}
    numbers["answered_classes"] = max((answers(call) for call in calls), default=math.nan)
    if is_agreement(graph, above, sights, calls):
        numbers["embedding_spread"] = _embedding_spread(graph, sights)
    return {name: value for name, value in numbers.items() if not math.isnan(value)}


def variation(call: LossCall) -> float:
    """Return the variation over samples of a call's output relative to that of its target, NaN where they cannot be compared."""
    if call.output.is_complex() or call.target.is_complex():
        return math.nan
    output, target = call.output.float(), call.target
    if call.kind in CLASSES and output.dim() >= 2:
        return _of_classes(output, target, int(call.options.get("ignore_index", -100)))
    if call.kind not in VALUES or output.shape[:1] != target.shape[:1] or output.dim() == 0 or output.shape[0] < 2 or output.numel() != target.numel():
        return math.nan
    said = output.sigmoid() if call.kind == "bce_with_logits" else output
    return _ratio(_spread(said), _spread(target.float()))


def answers(call: LossCall) -> float:
    """Return how many classes a call's output puts first for one sample or more, NaN where the batch does not hold two, or for other losses."""
    if call.kind not in CLASSES or call.output.dim() != 2 or call.target.is_floating_point() or call.target.dim() != 1 or len(call.target) != len(call.output):
        return math.nan
    target = call.target[:MOST_ANSWERS]
    if len(target) == 0 or bool((target == target[0]).all()):
        return math.nan
    return float(len(call.output[:MOST_ANSWERS].argmax(1).unique()))


def _of_classes(log_p: Tensor, target: Tensor, ignored: int) -> float:
    p = log_p.movedim(1, -1).reshape(-1, log_p.shape[1])[:MOST_NUMBERS].exp()
    if target.is_floating_point():
        wanted = target.movedim(1, -1).reshape(-1, log_p.shape[1])[:MOST_NUMBERS].float() if target.dim() == log_p.dim() else None
        return math.nan if wanted is None or p.shape != wanted.shape or len(p) < 2 else _ratio(_spread(p), _spread(wanted))
    classes = target.reshape(-1)[:MOST_NUMBERS]
    if len(classes) != len(p):
        return math.nan
    p, classes = p[classes != ignored], classes[classes != ignored]
    if len(p) < 2:
        return math.nan
    shares = torch.bincount(classes, minlength=p.shape[1])[: p.shape[1]].float() / len(classes)
    return _ratio(_spread(p), float((shares * (1 - shares)).mean().sqrt()))


def _spread(values: Tensor) -> float:
    """Return the standard deviation over the first axis, root-mean-square over all others."""
    table = values.reshape(values.shape[0], -1)
    stride = max(table.numel() // MOST_NUMBERS, 1)
    return float(table[:, ::stride].var(0, unbiased=False).mean().sqrt())


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else math.nan


def _head_spread(sights: Sequence[Sight]) -> float:
    heads = [s for s in sights if s.layer.is_output and s.layer.kind == "linear" and s.inputs is not None and s.weight.dim() == 2 and not s.weight.is_complex()]
    if not heads or is_sharded(heads[-1].weight):
        return math.nan
    table, weight = signal(heads[-1].inputs), heads[-1].weight.detach().float()  # type: ignore[arg-type]
    if table.shape[1] != weight.shape[1]:
        weight = weight.t()
    return _spread(table.float() @ weight.t()) if table.shape[1] == weight.shape[1] and len(table) > 1 else math.nan


def is_agreement(graph: LiveGraph, above: dict[Node, int], sights: Sequence[Sight], calls: Sequence[LossCall]) -> bool:
    """Return whether the loss compares two outputs of one network, sample by sample, and has no target from outside: agreement has a trivial solution.

    Limits:
        A branch under ``no_grad`` is no part of the graph and is not seen. Outputs of one dimension (scores, critics) are left out: they are compared for
        their order. Losses with derivatives of the network inside are left out: they use it at several places on purpose.
    """
    if any(not _looks_both_ways(call.node) for call in calls) or any("BackwardBackward" in name for name in graph.names):
        return False
    heads = [
        s for s in sights if s.layer.is_output and s.layer.kind == "linear" and s.layer.fan_out >= 2 and 2 <= len(s.uses) <= 8 and not s.weight.is_complex()
    ]
    if not heads:
        return False
    reach: dict[Node, frozenset[int]] = {use: frozenset({number}) for number, use in enumerate(heads[-1].uses)}
    for node in graph.nodes:
        if above[node] or node in reach:
            continue
        below = [reach[child] for child, _ in node.next_functions if child in reach]
        if graph.kinds[node] in JOINS and len(below) == 2 and not below[0] & below[1] and all(below) and _is_table(node):
            return True
        if below:
            reach[node] = frozenset().union(*below)
    return False


def _looks_both_ways(node: Node) -> bool:
    edges = [child for child, _ in node.next_functions]
    return len(edges) == 2 and all(edge is not None for edge in edges)


def _is_table(node: Node) -> bool:
    """Return whether what a join reads are tables and not single numbers."""
    below = [output_shape(child) for child, _ in node.next_functions if child is not None]
    return all(shape is not None and len(shape) >= 2 and math.prod(shape) > 1 for shape in below)


def _embedding_spread(graph: LiveGraph, sights: Sequence[Sight]) -> float:
    head = [sight for sight in sights if sight.layer.is_output and len(sight.uses) >= 2][-1]
    output: Any = output_of(graph, head.uses[-1])
    if output is None and head.inputs is not None and head.inputs.shape[-1] == head.weight.shape[-1] and not is_sharded(head.weight):
        output = head.inputs.float() @ head.weight.detach().float().t()
    if output is None or output.dim() != 2 or len(output) < 2:
        return math.nan
    direction = torch.nn.functional.normalize(output[:256].float(), dim=1)
    return _spread(direction) * math.sqrt(output.shape[1])
