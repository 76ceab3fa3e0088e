"""Where everything of the walk's graph stands and what shapes it is drawn with: wide with all numbers, or narrow with names alone for small screens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..nets.explained.text_blocks import shown_indices
from ..nets.graph.lettering import text_width
from ..nets.graph.shapes import HEAD, Shape
from ..records import Sentence
from ..reports.numerals import short
from .backprop_graph import BACKWARD, FORWARD, GRADIENT, PRODUCT, WEIGHT, Edge, Node, Side, WalkGraph
from .backpropagation import Array

Point = tuple[float, float]
RADIUS, BOX_HEIGHT = 20.0, 26.0
LABEL, SMALL, CELL = 14.0, 11.0, 11.0  # sizes of letters, points
LEADING, PADDING = 1.3, 7.0
MOST_ROWS, MOST_COLUMNS = 4, 4
NARROW_LANES = {FORWARD: 42.0, WEIGHT: 116.0, GRADIENT: 182.0, PRODUCT: 248.0, BACKWARD: 323.0}
SWING, BEND = 0.55, 0.9  # share of the way along which an arrow keeps its direction: where it ends as it began, and where it turns a corner
NARROW_WIDTH, NARROW_STEP = 366.0, 56.0
CAPTIONS = {
    FORWARD: (Sentence("forward →", "順伝播 →"), Sentence("forward ↓", "順伝播 ↓")),
    WEIGHT: (Sentence("weights", "重み"),) * 2,
    GRADIENT: (Sentence("gradients", "勾配"),) * 2,
    BACKWARD: (Sentence("← backward", "← 逆伝播"), Sentence("backward ↑", "逆伝播 ↑")),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Shapes that appear together.

    Attributes:
        kind: ``"node"``, ``"edge"``, ``"numbers"`` or ``"caption"``.
        id: Of the node; of an edge empty.
        role: What it looks like.
        step: In which step it is computed.
        shapes: In the order of drawing.
        words: A caption's words in both languages.
    """

    kind: str
    id: str
    role: str
    step: int
    shapes: tuple[Shape, ...]
    words: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """The pieces, the size of the sheet in points, and the middle of each step's result."""

    width: float
    height: float
    pieces: tuple[Piece, ...]
    middles: Mapping[str, Point]


def draw(walk: WalkGraph, *, is_wide: bool) -> Drawing:
    """Return the drawing of a graph.

    Args:
        walk: From :func:`.backprop_graph.graph_of`.
        is_wide: The forward pass goes to the right and every quantity has its numbers; else it goes down, and there are names alone.
    """
    if is_wide:
        places, width, height = _wide_places(walk)
    else:
        last = max(node.column for node in walk.nodes)
        places = {node.id: (NARROW_LANES[node.lane], 58 + NARROW_STEP * node.column - _aside(node, False)) for node in walk.nodes}
        width, height = NARROW_WIDTH, 58 + NARROW_STEP * last + 36
    by_id = {node.id: node for node in walk.nodes}
    pieces = [_edge(edge, by_id, places, is_wide) for edge in sorted(walk.edges, key=lambda edge: not edge.role.startswith("kept"))]
    pieces += [_node(node, places[node.id]) for node in walk.nodes]
    if is_wide:
        pieces += [_numbers(node, places[node.id]) for node in walk.nodes if node.value is not None]
    return Drawing(width, height, (*pieces, *_captions(places, is_wide)), places)


def cells(value: Array, most_rows: int = MOST_ROWS, most_columns: int = MOST_COLUMNS) -> list[list[str]]:
    """Return an array's numbers as rows of text, the middle of a large one left out."""
    table = np.atleast_2d(value)
    rows, columns = shown_indices(table.shape[0], most_rows), shown_indices(table.shape[1], most_columns)
    return [[_cell(table, row, column) for column in columns] for row in rows]


def minus(text: str) -> str:
    """Return a number with a real minus.

    >>> minus("-2.4e-5")
    '−2.4e−5'
    """
    return text.replace("-", "−")


def _cell(table: Array, row: int | None, column: int | None) -> str:
    if row is None:
        return "⋮"
    return "…" if column is None else minus(short(float(table[row, column])))


def _block_size(node: Node) -> tuple[float, float]:
    """Return how wide and high a quantity's numbers are; an operation has none."""
    if node.value is None:
        return 0.0, 0.0
    table = cells(node.value)
    return sum(_column_widths(table)), len(table) * CELL * LEADING


def _column_widths(table: Sequence[Sequence[str]]) -> list[float]:
    return [max(text_width(cell, CELL) for cell in column) + PADDING for column in zip(*table, strict=True)]


def _box_width(node: Node) -> float:
    return max(30.0, text_width(node.label, SMALL) + 14)


def _wide_places(walk: WalkGraph) -> tuple[dict[str, Point], float, float]:
    tall = {lane: max((_block_size(node)[1] for node in walk.nodes if node.lane == lane), default=0.0) for lane in range(5)}
    room = 2 * RADIUS
    lanes = {FORWARD: 32 + tall[FORWARD] + 6 + RADIUS}
    lanes[WEIGHT] = lanes[FORWARD] + room + 26
    lanes[GRADIENT] = lanes[WEIGHT] + room + tall[WEIGHT] + 6 + tall[GRADIENT] + 16
    lanes[PRODUCT] = lanes[GRADIENT] + room + 16
    lanes[BACKWARD] = lanes[PRODUCT] + room + 22
    height = lanes[BACKWARD] + RADIUS + tall[BACKWARD] + 18
    columns = _column_places(walk)
    right = max(columns[node.column] + max(_half(node), _block_ends(node)[1]) for node in walk.nodes)
    return {node.id: (columns[node.column] - _aside(node, True), lanes[node.lane]) for node in walk.nodes}, right + 14, height


def _aside(node: Node, is_wide: bool) -> float:
    """Return how far a node stands before its column: the product with Wᵀ does, so that what comes to it from W crosses what goes down from H squarely."""
    return 0.0 if not node.id.startswith("turn_") else 28.0 if is_wide else 13.0


def _half(node: Node) -> float:
    """Return half of what a circle or box takes along the forward pass."""
    return RADIUS if node.value is not None else _box_width(node) / 2


def _block_ends(node: Node) -> tuple[float, float]:
    """Return how far a quantity's numbers reach to the left and to the right of its middle; the target's stand to its left."""
    width = _block_size(node)[0]
    return (RADIUS + 5 + width, -RADIUS) if node.id == "T" else (width / 2, width / 2)


def _column_places(walk: WalkGraph) -> list[float]:
    """Return where each column stands: numbers of one lane do not touch, every arrow can be seen, and beside weights there is room for one that passes."""
    by_column: dict[int, list[Node]] = {}
    for node in walk.nodes:
        by_column.setdefault(node.column, []).append(node)
    captions = max(text_width(CAPTIONS[lane][0].en, SMALL + 1, is_bold=True) for lane in (WEIGHT, GRADIENT)) + 10  # an arrow from X passes behind them
    places: list[float] = []
    ends: dict[int, float] = {}
    for column, here in sorted(by_column.items()):
        solid = max(_half(node) + _aside(node, True) for node in here)
        place = 14 + max(captions, *(_block_ends(node)[0] for node in here))
        if places:
            place = places[-1] + max(map(_half, by_column[column - 1])) + 24 + solid
            place = max([place, *(ends.get(node.lane, 0.0) + 10 + _block_ends(node)[0] for node in here if node.value is not None)])
        if column % 5 == 1:  # products with weights, the loss: what goes from the column before to the backward pass needs room
            place = max([place, *(places[-1] + 26 + _block_ends(node)[0] for node in here if node.lane in (WEIGHT, GRADIENT))])
        if column % 5 == 3:  # from the sum an arrow goes all the way down, past the numbers of the bias
            place = max([place, *(ends[lane] + 12 for lane in (WEIGHT, GRADIENT))])
        places.append(place)
        ends |= {node.lane: place + _block_ends(node)[1] for node in here if node.value is not None}
    return places


def _node(node: Node, place: Point) -> Piece:
    x, y = place
    if node.value is None:
        half = _box_width(node) / 2
        shape = Shape("rectangle", node.role, [(x - half, y - BOX_HEIGHT / 2), (x + half, y + BOX_HEIGHT / 2)])
        text = Shape("text", f"{node.role}-text", [(x, y + SMALL * 0.36)], node.label, SMALL if len(node.label) > 1 else LABEL)
        return Piece("node", node.id, node.role, node.step, (shape, text))
    circle = Shape("ellipse", node.role, [(x - RADIUS, y - RADIUS), (x + RADIUS, y + RADIUS)])
    above, _, below = node.label.partition("\n")
    if not below:
        texts = [Shape("text", f"{node.role}-text", [(x, y + LABEL * 0.36)], above, LABEL, True)]
        return Piece("node", node.id, node.role, node.step, (circle, *texts))
    texts = [Shape("text", f"{node.role}-text", [(x, y - 3.5)], above, SMALL, True), Shape("text", f"{node.role}-text", [(x, y + 12)], below, SMALL, True)]
    line = Shape("curve", f"{node.role}-bar", [(x - 11, y), (x - 4, y), (x + 4, y), (x + 11, y)])
    return Piece("node", node.id, node.role, node.step, (circle, line, *texts))


def _numbers(node: Node, place: Point) -> Piece:
    """Put the numbers on the side of the circle that no arrow needs: above on the way forward and at the gradients, else below."""
    table = cells(node.value) if node.value is not None else []
    widths, height = _column_widths(table), _block_size(node)[1]
    x, y = place
    top = y - RADIUS - 5 - height if node.lane in (FORWARD, GRADIENT) else y + RADIUS + 5
    top = y - height / 2 if node.id == "T" else top
    shapes = []
    for row, line in enumerate(table):
        right = x - _block_ends(node)[0]
        for width, text in zip(widths, line, strict=True):
            right += width
            middle = right - PADDING / 2 - text_width(text, CELL) / 2
            shapes.append(Shape("text", "number", [(middle, top + (row + 0.82) * CELL * LEADING)], text, CELL))
    return Piece("numbers", node.id, "number", node.step, tuple(shapes))


def _edge(edge: Edge, nodes: Mapping[str, Node], places: Mapping[str, Point], is_wide: bool) -> Piece:
    start, out = _border(nodes[edge.start], places[edge.start], edge.leaves, is_wide)
    end, into = _border(nodes[edge.end], places[edge.end], edge.enters, is_wide)
    end = (end[0] + 2 * into[0], end[1] + 2 * into[1])  # the tip stops short of the outline
    foot = (end[0] + HEAD[0] * into[0], end[1] + HEAD[0] * into[1])
    across = (foot[0] - start[0], foot[1] - start[1])
    share = SWING if abs(out[0]) == abs(into[0]) else BEND
    leaving, entering = (max(share * abs(across[0] * side[0] + across[1] * side[1]), 8.0) for side in (out, into))
    curve = [start, (start[0] + leaving * out[0], start[1] + leaving * out[1]), (foot[0] + entering * into[0], foot[1] + entering * into[1]), foot]
    half = HEAD[1] / 2
    head = [end, (foot[0] - into[1] * half, foot[1] + into[0] * half), (foot[0] + into[1] * half, foot[1] - into[0] * half)]
    return Piece("edge", "", edge.role, edge.step, (Shape("curve", f"{edge.role}-line", curve), Shape("polygon", f"{edge.role}-head", head)))


def _border(node: Node, place: Point, side: Side, is_wide: bool) -> tuple[Point, Point]:
    """Return the point on a node's outline where an edge begins or ends, and the direction away from the node there."""
    sign = 1.0 if side in ("after", "inner") else -1.0
    is_across = is_wide == (side in ("before", "after"))
    away = (sign, 0.0) if is_across else (0.0, sign)
    reach = RADIUS if node.value is not None else _box_width(node) / 2 if is_across else BOX_HEIGHT / 2
    return (place[0] + reach * away[0], place[1] + reach * away[1]), away


def _captions(places: Mapping[str, Point], is_wide: bool) -> list[Piece]:
    """Return the names of the lanes: at their beginnings, where nothing else stands."""
    found = []
    lanes = {FORWARD: "A_0", WEIGHT: "W_1", GRADIENT: "dW_1", BACKWARD: "delta_1"}
    for lane, one in lanes.items():
        words = CAPTIONS[lane][0 if is_wide else 1]
        x, y = places[one]
        if not is_wide:
            place, is_flush = (x, 20.0), False
        else:
            place, is_flush = (14.0, 18.0 if lane == FORWARD else y + SMALL * 0.36), True
        shape = Shape("text", "caption", [place], words.en, SMALL + 1, True, is_flush_left=is_flush)
        found.append(Piece("caption", "", "caption", -1, (shape,), words))
    return found
