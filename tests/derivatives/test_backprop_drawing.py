"""Nothing in the drawing lies on anything else, and every number is there."""

from itertools import combinations

import pytest

from kazami.derivatives import backprop
from kazami.derivatives.backprop_drawing import RADIUS, cells, draw
from kazami.derivatives.backprop_graph import graph_of
from kazami.nets.graph.lettering import text_width
from kazami.nets.graph.shapes import samples
from tests.derivatives.test_backpropagation import network

SIZES = [(1, 1), (3, 4, 2), (12, 64, 10), (1, 9, 1, 9, 1), (4, 3, 3, 3, 3, 3, 3, 3, 2)]


def drawn(sizes, is_wide, loss="mse", examples=2):
    return draw(graph_of(backprop(*network(sizes, "leaky_relu", loss, examples=examples))), is_wide=is_wide)


def box(shape):
    """Return left, top, right and bottom of a shape."""
    if shape.kind == "text":
        (x, y), width = shape.points[0], text_width(shape.text, shape.size, is_bold=shape.is_bold)
        left = x if shape.is_flush_left else x - width / 2
        return left, y - 0.75 * shape.size, left + width, y
    return min(x for x, _ in shape.points), min(y for _, y in shape.points), max(x for x, _ in shape.points), max(y for _, y in shape.points)


def together(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize(("is_wide", "loss", "examples"), [(True, "mse", 5), (True, "cross_entropy", 1), (False, "mse", 2)])
def test_nothing_lies_on_anything(sizes, is_wide, loss, examples):
    picture = drawn(sizes, is_wide, loss, examples)
    boxes = [(piece, box(shape)) for piece in picture.pieces if piece.kind != "edge" for shape in (piece.shapes[:1] if piece.kind == "node" else piece.shapes)]
    touching = [(one.id, two.id) for (one, first), (two, second) in combinations(boxes, 2) if together(first, second)]
    assert touching == []
    for _, (left, top, right, bottom) in boxes:
        assert left >= 0
        assert top >= 0
        assert right <= picture.width
        assert bottom <= picture.height


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("is_wide", [True, False])
def test_no_arrow_passes_through_a_number_or_a_circle(sizes, is_wide):
    picture = drawn(sizes, is_wide, examples=5)
    points = [point for piece in picture.pieces if piece.kind == "edge" for point in samples(piece.shapes[0].points)[1:-1]]
    texts = [box(shape) for piece in picture.pieces if piece.kind in ("numbers", "caption") for shape in piece.shapes]
    assert [text for text in texts for x, y in points if text[0] < x < text[2] and text[1] < y < text[3]] == []
    circles = [picture.middles[piece.id] for piece in picture.pieces if piece.kind == "node" and piece.shapes[0].kind == "ellipse"]
    assert [middle for middle in circles for x, y in points if (x - middle[0]) ** 2 + (y - middle[1]) ** 2 < (RADIUS - 0.5) ** 2] == []


def test_every_number_is_written():
    found = backprop(*network((3, 4, 2), "tanh", "mse", examples=2))
    picture = draw(graph_of(found), is_wide=True)
    written = {piece.step: [shape.text for shape in piece.shapes] for piece in picture.pieces if piece.kind == "numbers" and piece.step >= 0}
    for place, step in enumerate(found.steps()):
        assert written[place] == [text for row in cells(step.value) for text in row]
        assert len(written[place]) == step.value.size


def test_a_narrow_drawing_fits_a_telephone():
    assert drawn((64,) * 20, is_wide=False).width < 390
