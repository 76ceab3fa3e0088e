"""Where everything stands: Graphviz ``dot``, given the sizes of the boxes, returns places and curves. It needs no font, for it never sees text."""

import io
import json
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from .lettering import text_width
from .picture import SIZES, Arrow, Box, Frame, Picture

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom
POINTS = 72.0  # an inch
FRAME_MARGIN = 20.0
RANK_SEPARATION = 0.36  # inches between one row of boxes and the next
HURRY = 1500  # from so many boxes on, dot is asked to stop improving early


@dataclass(slots=True)
class Laid:
    """A picture with places, in points, y down.

    Attributes:
        width: Of the whole.
        height: Of the whole.
        boxes: Centre of each box by its id.
        frames: Rectangle of each frame by its id.
        curves: For each arrow of the picture the control points of a chain of cubic Bézier curves, and the tip of its head (``None`` without one).
    """

    width: float = 0.0
    height: float = 0.0
    boxes: dict[str, Point] = field(default_factory=dict)
    frames: dict[str, Rectangle] = field(default_factory=dict)
    curves: list[tuple[list[Point], Point | None]] = field(default_factory=list)


def laid_out(picture: Picture) -> Laid:
    """Return the places that ``dot`` gives a picture."""
    pygraphviz: Any = import_module("pygraphviz")
    drawn = pygraphviz.AGraph(string=_source(picture))
    with redirect_stderr(io.StringIO()):  # pygraphviz warns of large graphs
        answer = json.loads(drawn.draw(format="json0", prog="dot"))
    return _read(answer, picture)


def least_height(picture: Picture) -> float:
    """Return a height, in points, below which no layout of a picture can come: that of the longest chain of boxes that hang on one another.

    >>> least_height(Picture([Box("a", "box", "", [("x", "name")]), Box("b", "box", "", [("x", "name")])], [Arrow("a", "b", "data", "")]))
    74.24
    """
    heights = {box.id: box.size[1] for box in picture.boxes}
    targets: dict[str, list[str]] = {}
    waiting = dict.fromkeys(heights, 0)
    for arrow in picture.arrows:
        targets.setdefault(arrow.source, []).append(arrow.target)
        waiting[arrow.target] += 1
    ends = {name: height for name, height in heights.items() if not waiting[name]}
    ready = list(ends)
    while ready:
        source = ready.pop()
        for target in targets.get(source, []):
            ends[target] = max(ends.get(target, 0.0), ends[source] + RANK_SEPARATION * POINTS + heights[target])
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return round(max(ends.values(), default=0.0), 6)


def _source(picture: Picture) -> str:
    """Return the picture as a Graphviz source that holds sizes and no text."""
    hurry = " nslimit=1; nslimit1=1; mclimit=0.2;" if len(picture.boxes) > HURRY else ""
    lines = [f'digraph g {{ rankdir=TB; nodesep=0.28; ranksep={RANK_SEPARATION}; splines=spline;{hurry} node [label="", fixedsize=true]; edge [arrowsize=0.7];']
    waiting = [("", False)]
    while waiting:
        frame, is_done = waiting.pop()
        if is_done:
            lines.append("}")
            continue
        if frame:
            lines.append(f'subgraph "cluster_{frame}" {{ margin={FRAME_MARGIN};')
            waiting.append((frame, True))
        lines += [_box_line(box) for box in picture.boxes if box.frame == frame]
        waiting += [(one.id, False) for one in reversed(picture.frames) if one.parent == frame]
    lines += [_arrow_line(arrow) for arrow in picture.arrows]
    return "\n".join([*lines, "}"])


def _box_line(box: Box) -> str:
    width, height = box.size
    shape = {"ellipse": "ellipse", "diamond": "diamond"}.get(box.shape, "box")
    return f'"{box.id}" [shape={shape}, width={width / POINTS:.4f}, height={height / POINTS:.4f}];'


def _arrow_line(arrow: Arrow) -> str:
    weight = {"data": 4, "skip": 1, "weight": 2}[arrow.kind]
    return f'"{arrow.source}" -> "{arrow.target}" [weight={weight}, arrowhead={"normal" if arrow.has_head else "none"}];'


def _read(answer: dict[str, Any], picture: Picture) -> Laid:
    _, _, right, top = (float(one) for one in answer["bb"].split(","))
    laid = Laid(right, top)
    objects = answer.get("objects", [])
    for one in objects:
        if "pos" in one:
            x, y = (float(part) for part in one["pos"].split(","))
            laid.boxes[one["name"]] = (x, top - y)
        elif "bb" in one:
            left, low, end, high = (float(part) for part in one["bb"].split(","))
            laid.frames[one["name"].removeprefix("cluster_")] = (left, top - high, end, top - low)
    found: dict[tuple[str, str], list[tuple[list[Point], Point | None]]] = {}
    for one in answer.get("edges", []):
        ends = (objects[one["tail"]]["name"], objects[one["head"]]["name"])
        found.setdefault(ends, []).append(_curve(one["pos"], top))
    for arrow in picture.arrows:
        laid.curves.append(found[arrow.source, arrow.target].pop(0))
    _make_room_for_labels(laid, picture)
    return laid


def _curve(text: str, top: float) -> tuple[list[Point], Point | None]:
    points: list[Point] = []
    tip: Point | None = None
    for word in text.split():
        if word.startswith("e,"):
            tip = _point(word[2:], top)
        elif not word.startswith("s,"):
            points.append(_point(word, top))
    return points, tip


def _point(text: str, top: float) -> Point:
    x, y = text.split(",")[:2]
    return float(x), top - float(y)


def frame_label_width(frame: Frame) -> float:
    """Return how wide the label of a frame is, with some room."""
    return text_width(frame.label, SIZES["word"], is_bold=True) + 16


def _make_room_for_labels(laid: Laid, picture: Picture) -> None:
    """Widen what is drawn to the right where a frame's label is longer than all else."""
    for frame in picture.frames:
        if frame.id in laid.frames:
            left = laid.frames[frame.id][0]
            laid.width = max(laid.width, left + frame_label_width(frame))
