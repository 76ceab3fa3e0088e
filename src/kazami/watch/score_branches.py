"""Layers that make the scores of attention: queries and keys, whose output weighs what others carry and goes no further."""

from collections.abc import Iterable, Sequence
from typing import Any

from .graph import NORM, PASS, LiveGraph, Node
from .layers import Sight

SOFTMAX = frozenset({"Softmax", "SafeSoftmax"})
PRODUCTS = frozenset({"Bmm", "Baddbmm"})
FUSED = "ScaledDotProduct"  # so begin the operations that are attention as a whole: query, key, value …
VALUE = 2
SCALED = PASS | NORM | {"Mul", "Div", "Add", "Sub", "MaskedFill", "Where", "Neg", "Rsub"}  # positions, masks, temperatures
LOOK_UP = 64  # operations above a layer


def score_branches(graph: LiveGraph, sights: Sequence[Sight]) -> dict[str, Any]:
    """Return the fact ``score_branches``: the names of the layers of which no number reaches the loss but through the scores of attention.

    Where the scores are nearly even, as they are at the start, their gradients are small however well the network learns.
    """
    if SOFTMAX.isdisjoint(graph.names) and not any(name.startswith(FUSED) for name in graph.names):
        return {}
    names = [sight.layer.name for sight in sights if sight.is_trained and sight.uses and all(_is_scoring(graph, use) for use in sight.uses)]
    return {"score_branches": {"layers": names}} if names else {}


def _is_scoring(graph: LiveGraph, use: Node) -> bool:
    """Return whether every way up from an operation ends in the scores of attention."""
    waiting, seen, is_found = [(use, False)], {(use, False)}, False
    while waiting:
        node, is_product = waiting.pop()
        ways = list(_ways_up(graph, node, is_product))
        if not ways or None in ways or len(seen) > LOOK_UP:
            return False
        for way in ways:
            if way is True:
                is_found = True
            elif isinstance(way, tuple) and way not in seen:
                seen.add(way)
                waiting.append(way)
    return is_found


def _ways_up(graph: LiveGraph, node: Node, is_product: bool) -> Iterable[tuple[Node, bool] | bool | None]:
    """Yield where each consumer of ``node`` leads: ``True`` into scores, ``None`` elsewhere, else the next operation and whether a product was passed."""
    for above in graph.consumers.get(node, ()):
        name = graph.kinds[above]
        if name.startswith(FUSED):
            yield True if any(child is node for child, _ in above.next_functions[:VALUE]) and not is_product else None
        elif name in SOFTMAX:
            yield True if is_product else None
        elif name in PRODUCTS:
            yield None if is_product else (above, True)
        else:
            yield (above, is_product) if name in SCALED else None
