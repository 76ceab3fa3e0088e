"""Terms of a loss: the numbers that were added up to the one on which backward is called, with their weights, values and gradients on the live graph."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .extra_backward import ExtraBackward
from .graph import MATRIX, NORM, RECURRENT, LiveGraph, Node, children, option, output_shape, saved
from .layers import Sight
from .losses import LossCall, Targets
from .nonfinite import nearest_layer
from .observables import norms_of

if TYPE_CHECKING:
    from .observer import Observer

FEWEST, MOST = 2, 8
FIRST, NEWEST = 3, 5  # values whose median is the start, and the present
MOST_VALUES = 512
MOST_TRIVIAL = 32  # batches over whose targets the best constant's cost is averaged
SAME = frozenset({"ToCopy", "View", "Squeeze", "Unsqueeze", "Clone", "ReshapeAlias", "Alias", "Expand", "Select", "Unbind"})
ENTERED = MATRIX | RECURRENT | NORM | {"Embedding", "EmbeddingBag"}


@dataclass(slots=True)
class Term:
    """One number of the sum.

    Attributes:
        node: The operation that gave it.
        weight: By what it was multiplied on its way into the sum.
        name: What it is: the loss function, or ``"squares"``, ``"penalty"``, ``"term"``, and the layer it comes from.
        is_penalty: Whether it depends on weights alone and on no data.
        value: Its value before the multiplication, NaN where it cannot be told from what autograd saved.
        trivial: Its value for the constant that fits its targets best, NaN where no targets are seen.
        least: What its targets cost whatever is answered: their own entropy.
    """

    node: Node
    weight: float
    name: str = "term"
    is_penalty: bool = False
    value: float = math.nan
    trivial: float = math.nan
    least: float = 0.0


@dataclass(slots=True)
class _Past:
    values: list[tuple[float, ...]] = field(default_factory=list)
    gradients: list[tuple[float, ...]] = field(default_factory=list)
    opposed: list[tuple[float, ...]] = field(default_factory=list)
    trivial: list[tuple[float, ...]] = field(default_factory=list)
    least: list[tuple[float, ...]] = field(default_factory=list)


class TermReader:
    """Follows the terms of a loss: their values at each reading that looks at everything, their gradients at few of them."""

    def __init__(self) -> None:
        self._extra = ExtraBackward()
        self._pasts: dict[tuple[str, ...], _Past] = {}

    def read(
        self, graph: LiveGraph, losses: Sequence[Tensor | None], sights: Sequence[Sight], calls: Sequence[LossCall], value: float, observer: "Observer"
    ) -> dict[str, Any]:
        """Return the fact ``loss_terms`` with all that was seen of these terms so far; nothing where the loss is no sum of terms.

        Args:
            graph: The live graph.
            losses: What backward is called on, as it was before a gradient scaler multiplied it.
            sights: Its layers.
            calls: The losses recognised in it.
            value: The loss.
            observer: Whose clock and permissions count.
        """
        root = losses[0].grad_fn if len(losses) == 1 and losses[0] is not None else None
        terms = terms_of(graph, root, sights, calls, value)
        if not FEWEST <= len(terms) <= MOST or all(term.is_penalty for term in terms):
            return {}
        past = self._pasts.setdefault(tuple(term.name for term in terms), _Past())
        if len(past.values) < MOST_VALUES:
            past.values.append(tuple(term.value for term in terms))
        else:
            past.values[-NEWEST:] = [*past.values[1 - NEWEST :], tuple(term.value for term in terms)]
        past.trivial = [*past.trivial[1 - MOST_TRIVIAL :], tuple(term.trivial for term in terms)]
        past.least = [*past.least[1 - MOST_TRIVIAL :], tuple(term.least for term in terms)]
        if self._extra.is_due(observer.clock) and self._extra.is_allowed(graph, observer):
            found = self._norms(terms, [sight.weight for sight in sights if sight.is_trained], observer)
            past.gradients += [found[0]] if found is not None else []
            past.opposed += [found[1]] if found is not None else []
        return {"loss_terms": {"measured": len(past.gradients), "terms": [_told(term, index, past) for index, term in enumerate(terms)]}}

    def _norms(self, terms: Sequence[Term], weights: Sequence[Tensor], observer: "Observer") -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Return the gradient norm of each weighted term on the weights that it shares with another one, and how far the others' sum lies along it."""
        tables = [self._extra.gradients(term.node, weights, term.weight, observer) for term in terms]
        if any(table is None for table in tables):
            return None
        columns = [[table[i] for table in tables if table is not None] for i in range(len(weights))]
        shared = [i for i, column in enumerate(columns) if sum(one is not None for one in column) >= FEWEST]
        if not shared:
            return None
        norms = tuple(math.hypot(*norms_of([one for i in shared if (one := columns[i][j]) is not None])) for j in range(len(terms)))
        return norms, tuple(_along([columns[i] for i in shared], j) / norms[j] ** 2 if norms[j] > 0 else math.nan for j in range(len(terms)))


def _along(columns: Sequence[Sequence[Tensor | None]], term: int) -> float:
    """Return the product of one term's gradient with the sum of the others'."""
    products = [
        (own * other).sum() for column in columns if (own := column[term]) is not None for j, other in enumerate(column) if j != term and other is not None
    ]
    return float(torch.stack([one.detach() for one in products]).sum()) if products else 0.0


def _told(term: Term, index: int, past: _Past) -> dict[str, Any]:
    values = [row[index] for row in past.values if math.isfinite(row[index])]
    ratios = [row[index] / largest for row in past.gradients if (largest := max(row)) > 0 and math.isfinite(largest)]
    trivial = [row[index] for row in past.trivial if math.isfinite(row[index])]
    opposed = [row[index] for row in past.opposed[-NEWEST:] if math.isfinite(row[index])]
    return {
        "name": term.name,
        "weight": term.weight,
        "first": median(values[:FIRST]) if values else math.nan,
        "now": median(values[-NEWEST:]) if values else math.nan,
        "trivial": median(trivial) if trivial else math.nan,
        "least": median(row[index] for row in past.least) if past.least else 0.0,
        "gradient_share": median(ratios) if ratios else math.nan,
        "opposed": median(opposed) if opposed else math.nan,
        "is_penalty": term.is_penalty,
    }


def terms_of(graph: LiveGraph, root: Node | None, sights: Sequence[Sight], calls: Sequence[LossCall], value: float) -> list[Term]:
    """Return the terms that a loss is the weighted sum of, one of them where it is no sum.

    Args:
        graph: The live graph.
        root: The node of the loss.
        sights: Its layers.
        calls: The losses recognised in it.
        value: The loss itself, from which the value of one unknown term follows.
    """
    if root is None or root not in graph.kinds or not _is_scalar(root):
        return []
    known = {call.node: call for call in calls}
    terms = [Term(node, weight) for node, weight in _summands(graph, root, 1.0)][: MOST * MOST]
    inner = _smoothing_parts(graph, terms)
    terms = [term for term in terms if term.node not in inner]
    for number, term in enumerate(terms, start=1):
        term.is_penalty = not _meets_data(graph, term.node)
        term.value, kind = _value(graph, term.node, known)
        term.trivial, term.least = _trivial(graph, term.node, known)
        layer = "" if term.is_penalty else nearest_layer(graph, term.node, sights)
        term.name = f"{number}: {'penalty' if term.is_penalty else kind}{f' of {layer}' if layer else ''}"
    unknown = [term for term in terms if math.isnan(term.value)]
    if len(unknown) == 1 and math.isfinite(value) and unknown[0].weight and not inner:
        unknown[0].value = (value - sum(term.weight * term.value for term in terms if term is not unknown[0])) / unknown[0].weight
    return terms


def _is_scalar(node: Node) -> bool:
    shape = output_shape(node)
    return shape is not None and math.prod(shape) == 1


def _summands(graph: LiveGraph, node: Node, weight: float, depth: int = 40) -> Iterator[tuple[Node, float]]:
    """Yield the nodes whose weighted sum ``node`` is, with their weights."""
    edges = [child for child, _ in node.next_functions]
    live = [edge for edge in edges if edge is not None and edge not in graph.leaf_of]
    name = graph.kinds[node]
    parts: list[tuple[Node, float]] | None = None
    if depth and len(live) == sum(edge is not None for edge in edges):
        if name in ("Add", "Sub", "Rsub") and len(edges) == 2:
            parts = _of_sum(name, edges, float(option(node, "alpha", 1) or 1))
        elif name == "Stack":
            parts = [(edge, 1.0) for edge in live]
        elif len(live) == 1:
            factor = _factor(graph, node, name, edges)
            parts = None if factor is None else [(live[0], factor)]
    if parts is None or not all(_is_scalar(part) or graph.kinds[part] == "Stack" for part, _ in parts):
        yield node, weight
        return
    for part, factor in parts:
        yield from _summands(graph, part, weight * factor, depth - 1)


def _of_sum(name: str, edges: Sequence[Node | None], alpha: float) -> list[tuple[Node, float]]:
    signs = {"Add": (1.0, alpha), "Sub": (1.0, -alpha), "Rsub": (-alpha, 1.0)}[name]
    return [(edge, sign) for edge, sign in zip(edges, signs, strict=True) if edge is not None]


def _factor(graph: LiveGraph, node: Node, name: str, edges: Sequence[Node | None]) -> float | None:
    """Return by what an operation on one number (or on a stack of them, all alike) multiplies it, ``None`` for any other operation."""
    below = next(edge for edge in edges if edge is not None)
    is_stack = graph.kinds[below] == "Stack"
    if name in SAME or (name == "Sum" and (is_stack or _is_scalar(below))):
        return 1.0
    if name == "Mean" and (is_stack or _is_scalar(below)):
        return 1.0 / math.prod(output_shape(below) or (1,))
    if name == "Neg":
        return -1.0
    if name in ("Mul", "Div") and _is_scalar(below):
        other = option(node, "other") if edges[0] is not None else option(node, "self")
        constant = float(other) if isinstance(other, int | float) or (isinstance(other, Tensor) and other.numel() == 1) else math.nan
        if math.isnan(constant) or (name == "Div" and (edges[0] is None or constant == 0)):
            return None
        return constant if name == "Mul" else 1.0 / constant
    return None


def _smoothing_parts(graph: LiveGraph, terms: Sequence[Term]) -> set[Node]:
    """Return the terms that only smooth the labels of a cross-entropy beside them: torch writes one loss as a sum of two."""
    losses = [term.node for term in terms if graph.kinds[term.node].startswith("NllLoss")]
    sources = {_source(graph, node) for node in losses}
    return {
        term.node for term in terms if term.node not in losses and _source(graph, term.node) in sources and graph.kinds[term.node] in ("Mean", "Sum", "Neg")
    }


def _source(graph: LiveGraph, node: Node) -> Node | None:
    for _ in range(6):
        below = [child for child in children(node) if child not in graph.leaf_of]
        if graph.kinds[node] == "LogSoftmax" or len(below) != 1:
            return node if graph.kinds[node] == "LogSoftmax" else None
        node = below[0]
    return None


def _meets_data(graph: LiveGraph, node: Node) -> bool:
    """Return whether a layer lies under ``node``: a term of weights alone (a penalty) has none."""
    stack, seen = [node], {node}
    while stack:
        item = stack.pop()
        if graph.kinds[item] in ENTERED:
            return True
        for child in children(item):
            if child not in seen and child not in graph.leaf_of:
                seen.add(child)
                stack.append(child)
    return False


def _value(graph: LiveGraph, node: Node, known: dict[Node, LossCall]) -> tuple[float, str]:
    """Return a term's value, again from what autograd saved, and what it is."""
    if node in known:
        return known[node].value, known[node].kind
    below = [child for child in children(node) if child not in graph.leaf_of]
    if graph.kinds[node] not in ("Mean", "Sum") or len(below) != 1:
        return math.nan, "term"
    inner = below[0]
    if inner in known and known[inner].options.get("reduction") == "none":
        size = math.prod(output_shape(inner) or (1,)) if graph.kinds[node] == "Sum" else 1
        return known[inner].value * size, known[inner].kind
    entries, kind = _entries(graph, inner)
    if entries is None:
        return math.nan, known[inner].kind if inner in known else "term"
    return float((entries.mean() if graph.kinds[node] == "Mean" else entries.sum()).item()), kind


def _trivial(graph: LiveGraph, node: Node, known: dict[Node, LossCall]) -> tuple[float, float]:
    """Return what the best constant would cost on the targets of this batch, and what any answer does."""
    below = [child for child in children(node) if child in known]
    call = known.get(node) or (known[below[0]] if len(below) == 1 and graph.kinds[node] == "Mean" else None)
    if call is None:
        return math.nan, 0.0
    targets = Targets()
    targets.add(call)
    value = targets.trivial(call)
    return (math.nan, 0.0) if value is None else (value, targets.least(call))


def _entries(graph: LiveGraph, node: Node) -> tuple[Tensor | None, str]:
    """Return the numbers that an operation on one tensor put out."""
    name, operand = graph.kinds[node], saved(node, "self")
    if operand is None or operand.is_complex():
        return None, "term"
    operand = operand.float()
    if name == "Pow" and isinstance(exponent := option(node, "exponent"), int | float):
        return operand**exponent, "squares"
    if name == "Abs":
        return operand.abs(), "absolute"
    other = saved(node, "other")
    if name == "Mul" and other is not None and other.shape == operand.shape:
        return operand * other.float(), "squares" if torch.equal(operand, other.float()) else "term"
    return None, "term"
