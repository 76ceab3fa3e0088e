"""Exact facts of one live graph about what cannot be meant: probabilities where logarithms belong, a softmax over one number, operations without slope,
targets that are no probabilities, and one sequence taken out of a batch.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from .graph import ACTIVATIONS, MATRIX, PASS, LiveGraph, Node, children, option, output_shape, saved
from .losses import YES_OR_NO, LossCall

# Piecewise constant: the derivative is zero wherever there is one.
FLAT = {"Round": "round", "Floor": "floor", "Ceil": "ceil", "Trunc": "trunc", "Sign": "sign", "Sgn": "sign"}
UNROLLED = frozenset({"MkldnnRnnLayer", "CudnnRnn", "Stack"})
CTC = frozenset({"CtcLoss", "CudnnCtcLoss"})
NORMALISED = 0.05  # nats by which probabilities may miss the sum of 1: half precision rounds their logarithms by less
SLACK = 1e-3  # by which a probability that was computed may miss 0 … 1
AXIS_OF_SEQUENCES = 1  # of a recurrent layer's output, (time, batch, features)
LEAST_STATES = 3
LOOK_BACK = 64  # operations between one state of a recurrence and the state before


def misfits(graph: LiveGraph, above: dict[Node, int], calls: Sequence[LossCall]) -> dict[str, Any]:
    """Return the facts that hold, by name."""
    facts = _without_slope(graph) | _one_sequence(graph) | _no_probabilities(calls)
    for node in graph.nodes:
        name = graph.kinds[node]
        if name in CTC:
            facts |= _ctc(graph, node)
        elif above[node] == 0 and name == "Sub":
            facts |= _divergence(graph, node)
        elif above[node] == 0 and name in ("Softmax", "LogSoftmax"):
            facts |= _alone(graph, node)
    return facts


def _no_log(source: str, loss: str) -> dict[str, Any]:
    return {"nll_without_log": {"activation": ACTIVATIONS.get(source, "") or "identity", "loss": loss}}


def _ctc(graph: LiveGraph, node: Node) -> dict[str, Any]:
    """The connectionist loss reads logarithms of probabilities; those of one step and sample must add up to 1."""
    given = saved(node, "log_probs")
    if given is None or given.numel() == 0 or not bool(torch.isfinite(given).all()):
        return {}
    if float(given.float().logsumexp(-1).abs().max()) < NORMALISED:
        return {}
    below = graph.below(children(node)[0]) if children(node) else None
    source = graph.kinds[below] if below is not None else ""
    return _no_log(source if source in ("Softmax", "Sigmoid") else "", "ctc_loss")


def _divergence(graph: LiveGraph, node: Node) -> dict[str, Any]:
    """``kl_div`` is written out as :math:`t \\log t - t x`, of which the first part needs no gradient and the second is a product with the targets."""
    constant, product = (child for child, _ in node.next_functions) if len(node.next_functions) == 2 else (node, None)
    if constant is not None or product is None or graph.kinds[product] != "Mul":
        return {}
    edges = [child for child, _ in product.next_functions]
    live = [edge for edge in edges if edge is not None]
    shares = saved(product, "self", "other")
    if len(live) != 1 or shares is None or not _are_shares(shares):
        return {}
    below = graph.below(live[0], PASS - {"Mean", "Sum"})
    source = graph.kinds[below] if below is not None else ""
    return _no_log(source, "kl_div") if source in ("Softmax", "Sigmoid") or source in MATRIX else {}


def _no_probabilities(calls: Sequence[LossCall]) -> dict[str, Any]:
    """A binary cross-entropy reads its targets as probabilities; for one outside 0 … 1 it has no lowest value."""
    for call in calls:
        if call.kind in YES_OR_NO and call.target.numel() and not call.options.get("handwritten"):
            low, high = float(call.target.min()), float(call.target.max())
            outside = float(((call.target < -SLACK) | (call.target > 1 + SLACK)).float().mean())
            if outside > 0:
                seen = {"activation": "sigmoid", "low": 0.0, "high": 1.0, "target_low": low, "target_high": high, "outside": outside}
                return {"targets_no_probabilities": {**seen, "layer": "the targets of the loss"}}
    return {}


def _are_shares(values: Tensor) -> bool:
    """Return whether each row is a distribution over several classes."""
    if values.dim() < 2 or values.shape[-1] < 2 or not values.is_floating_point() or float(values.min()) < 0:
        return False
    total = values.float().sum(-1)
    return bool(torch.allclose(total, torch.ones_like(total), atol=1e-2))


def _alone(graph: LiveGraph, node: Node) -> dict[str, Any]:
    """A softmax over an axis of size 1 is 1 whatever it is given."""
    shape = output_shape(node)
    axis = int(option(node, "dim", -1))
    if not shape:
        return {}
    axis = (axis - 2**64 if axis >= 2**63 else axis) % len(shape)  # autograd gives it unsigned
    return {"softmax_of_one": {"axis": axis, "shape": list(shape)}} if shape[axis] == 1 and max(shape) > 1 else {}


def _without_slope(graph: LiveGraph) -> dict[str, Any]:
    """Parameters whose every way to the loss leads through a piecewise constant operation get gradients of exactly zero.

    A user's function of such a name is none: it has a derivative of its own.
    """
    if graph.names.isdisjoint(FLAT):
        return {}
    flat = [node for node in graph.nodes if graph.kinds[node] in FLAT and not isinstance(node, torch.autograd.function.BackwardCFunction)]
    reached, waiting = set(graph.roots) - set(flat), [root for root in graph.roots if root not in flat]
    while waiting:
        for below in children(waiting.pop()):
            if below not in reached and below not in flat:
                reached.add(below)
                waiting.append(below)
    cut = [leaf for node, leaf in graph.leaf_of.items() if node not in reached]
    if not flat or not cut:
        return {}
    total = sum(leaf.numel() for leaf in graph.leaf_of.values())
    return {"without_slope": {"operation": FLAT[graph.kinds[flat[-1]]], "share": sum(leaf.numel() for leaf in cut) / max(total, 1), "parameters": len(cut)}}


def _one_sequence(graph: LiveGraph) -> dict[str, Any]:
    """Of a recurrent layer's sequences, which do not know of one another, one alone leads on."""
    for node in graph.nodes:
        shape = output_shape(node) if graph.kinds[node] in UNROLLED else None
        if shape is None or len(shape) != 3 or shape[AXIS_OF_SEQUENCES] < 2 or not _is_unrolled(graph, node, shape):
            continue
        taken = _taken(graph, node, AXIS_OF_SEQUENCES)
        if len(taken) == 1 and None not in taken:
            return {"one_sequence": {"steps": shape[0], "sequences": shape[AXIS_OF_SEQUENCES], "index": next(iter(taken))}}
    return {}


def _is_unrolled(graph: LiveGraph, node: Node, shape: Sequence[int]) -> bool:
    """Return whether ``node`` puts out the states of a recurrence, one time step after the other along axis 0."""
    name = graph.kinds[node]
    if name == "MkldnnRnnLayer" or (name == "CudnnRnn" and not option(node, "batch_first", False)):
        return True
    states = children(node) if name == "Stack" and option(node, "dim", 0) == 0 else []
    if len(states) < LEAST_STATES or len(states) != shape[0] or len(node.next_functions) != len(states):
        return False
    second, third = (_weights_between(graph, after, before) for before, after in pairwise(states[:LEAST_STATES]))
    return bool(second & third)  # the same weights at each time step: layers that are stacked have their own


def _weights_between(graph: LiveGraph, node: Node, wanted: Node) -> set[Node]:
    """Return the leaves that ``node`` was made of together with ``wanted``, a few operations before; nothing where it was not made of it."""
    seen, waiting, is_found = {node}, [node], False
    while waiting and len(seen) < LOOK_BACK:
        for below in children(waiting.pop(0)):
            if below is wanted:
                is_found = True
            elif below not in seen:
                seen.add(below)
                waiting.append(below)
    return {one for one in seen if one in graph.leaf_of} if is_found else set()


def _taken(graph: LiveGraph, node: Node, axis: int) -> set[int | None]:
    """Return which entries of ``axis`` lead on from ``node``; ``None`` among them where more than a single one does, or where that is not known."""
    found: set[int | None] = set()
    for above in graph.consumers.get(node, []) or [None]:
        name, shape = (graph.kinds[above], output_shape(node)) if above is not None else ("", None)
        if above is None or shape is None:
            found.add(None)
        elif name == "Select":
            found |= {_index(above, shape, axis)} if _axis(above, "dim", shape) == axis else {None}
        elif name == "Transpose" and {_axis(above, "dim0", shape), _axis(above, "dim1", shape)} == {0, 1}:
            found |= _taken(graph, above, 1 - axis)
        elif name == "Cat" and output_shape(above) is not None and (output_shape(above) or ())[:2] == shape[:2]:
            found |= _taken(graph, above, axis)  # both directions, side by side
        elif name == "Slice" and output_shape(above) == shape:
            found |= _taken(graph, above, axis)
        else:
            found.add(None)
    return found


def _axis(node: Node, name: str, shape: Sequence[int]) -> int:
    axis = int(option(node, name, 0))
    return (axis - 2**64 if axis >= 2**63 else axis) % len(shape)


def _index(node: Node, shape: Sequence[int], axis: int) -> int:
    index = int(option(node, "index", 0))
    return (index - 2**64 if index >= 2**63 else index) % shape[axis]
