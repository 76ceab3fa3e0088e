"""Which layers feed which: the live graph without everything that neither holds a weight nor joins two signals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .graph import ADD, MATRIX, LiveGraph, Node, Skeleton, children, output_shape
from .layers import Sight
from .player import Player

MOST_SHAPES = 6  # of graphs that are looked at: each kind of loss of a script builds its own
MOST_DRAWN_USES = 3  # a weight that is used more often stands once, with a loop where it feeds itself
JOINS_A_LAYER, FEW_JOINS = 2, 8  # beyond, joins are those of an unrolled recurrence, and layers are linked directly
MOST_EDGES = 6000
INPUT, LOSS = "input", "loss"

Key = tuple[Any, ...]  # ("layer", weight, use) · ("join", sign, sources) · ("input",) · ("loss",)
_SIGNS = {"Mul": "×", "Div": "÷", "Cat": "concat", "Stack": "stack", "Sub": "−", "Rsub": "−", "Where": "where", "Maximum": "max", "Minimum": "min"}


@dataclass(slots=True)
class _Shape:
    """What one shape of graph says.

    Attributes:
        nodes: Each node with the shape of its output, without the batch.
        edges: Pairs of nodes, each once, in the order of the forward pass.
        weights: The layers that take part.
        names: Of the layers.
    """

    nodes: dict[Key, tuple[int, ...]] = field(default_factory=dict)
    edges: dict[tuple[Key, Key], None] = field(default_factory=dict)
    weights: set[int] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)

    def add(self, node: Key, sources: Iterable[Key], shape: tuple[int, ...] | None) -> None:
        """Add a node and what it reads."""
        self.nodes.setdefault(node, shape[1:] if shape else ())
        self.edges.update(dict.fromkeys((source, node) for source in sources))


class FlowReader:
    """Keeps the data flow of each shape of graph that a training builds; a shape is looked at once.

    Limits:
        Seen is what autograd records: a signal that needs no gradient (the raw input carried past a layer, a frozen first part) leads nowhere, and what was
        compiled or checkpointed is not looked into.
    """

    def __init__(self) -> None:
        self._shapes: dict[Skeleton, _Shape | None] = {}
        self._given: dict[int, tuple[tuple[int, int], dict[str, Any] | None]] = {}

    def read(self, graph: LiveGraph, sights: list[Sight]) -> None:
        """Take in a graph, if its shape is new."""
        if graph.skeleton in self._shapes or len(self._shapes) >= MOST_SHAPES or not sights:
            return
        self._shapes[graph.skeleton] = _walked(graph, sights, with_joins=True) or _walked(graph, sights, with_joins=False)

    def of(self, player: Player) -> dict[str, Any] | None:
        """Return the data flow through a player's weights as plain data, ``None`` where none was seen.

        Returns:
            ``nodes``: ``["input"]``, ``["loss"]``, ``["layer", column, use, shape]``, ``["other", name, use, shape]`` (a layer that another optimizer moves)
            or ``["join", sign, shape]``; ``edges``: pairs of places among them.
        """
        columns = player.columns
        state = len(self._shapes), len(columns)
        known = self._given.get(id(player))
        if known is None or known[0] != state:
            known = self._given[id(player)] = state, _given([shape for shape in self._shapes.values() if shape is not None], columns)
        return known[1]


def _walked(graph: LiveGraph, sights: list[Sight], *, with_joins: bool) -> _Shape | None:
    """Return the data flow of a graph; ``None`` where it has more joins than a picture can hold, or more edges."""
    found = _Shape()
    uses = _uses(sights, found)
    most = JOINS_A_LAYER * len(uses) + FEW_JOINS
    n_joins = 0
    sources: dict[Node, dict[Key, None]] = {}
    for node in graph.nodes:
        read = {source: None for child in children(node) for source in sources.get(child, ())}
        layer = uses.get(node)
        if layer is not None:
            found.add(layer, read or [(INPUT,)], output_shape(node))
            read = {layer: None}
        elif with_joins and len(read) > 1:
            join: Key = ("join", _sign(graph.kinds[node]), frozenset(read))
            n_joins += join not in found.nodes
            found.add(join, read, output_shape(node))
            read = {join: None}
        sources[node] = read
        if n_joins > most or len(found.edges) > MOST_EDGES:
            return None
    found.add((LOSS,), {source: None for root in graph.roots for source in sources.get(root, ())}, None)
    return found if found.weights else None


def _uses(sights: list[Sight], found: _Shape) -> dict[Node, Key]:
    """Return the node of the picture for each operation that uses a weight."""
    nodes: dict[Node, Key] = {}
    for sight in sights:
        weight = Player.key_of(sight)
        found.weights.add(weight)
        found.names[weight] = sight.layer.name
        is_once = len(sight.uses) > MOST_DRAWN_USES or sight.layer.kind == "recurrent"
        for number, use in enumerate(sight.uses):
            nodes.setdefault(use, ("layer", weight, 0 if is_once else number))
    return nodes


def _sign(kind: str) -> str:
    if kind in ADD and kind not in _SIGNS:
        return "+"
    return "attention" if "Attention" in kind else "·" if kind in MATRIX else _SIGNS.get(kind, kind)


def _given(shapes: list[_Shape], columns: Mapping[int, int]) -> dict[str, Any] | None:
    own = [shape for shape in shapes if not shape.weights.isdisjoint(columns)]
    nodes = {key: shape for one in own for key, shape in one.nodes.items()}
    edges = dict.fromkeys(edge for one in own for edge in one.edges)
    if not nodes:
        return None
    names = {weight: name for one in own for weight, name in one.names.items()}
    order = [(INPUT,)] * any(source == (INPUT,) for source, _ in edges) + [key for key in nodes if key != (LOSS,)] + [(LOSS,)]
    places = {key: place for place, key in enumerate(order)}
    return {
        "nodes": [_plain(key, nodes.get(key, ()), columns, names) for key in order],
        "edges": [[places[source], places[target]] for source, target in edges],
    }


def _plain(key: Key, shape: tuple[int, ...], columns: Mapping[int, int], names: Mapping[int, str]) -> list[Any]:
    if key[0] != "layer":
        return [key[0], key[1], list(shape)] if key[0] == "join" else [key[0]]
    column = columns.get(key[1])
    return ["layer", column, key[2], list(shape)] if column is not None else ["other", names.get(key[1], ""), key[2], list(shape)]
