"""The one list of shapes that both printers print: rectangles, ellipses, diamonds, curves and lines of text."""

from dataclasses import dataclass, field

import numpy as np

from .layout import FRAME_MARGIN, Laid, Point, Rectangle, frame_label_width
from .lettering import text_width
from .picture import BOLD, LEADING, SIZES, Box, Frame, Picture

HEAD = (7.0, 5.2)  # length and width of an arrowhead, points


@dataclass(slots=True)
class Shape:
    """Something that is drawn.

    Attributes:
        kind: ``"rectangle"``, ``"ellipse"``, ``"polygon"``, ``"curve"`` (cubic Bézier curves, end to end) or ``"text"``.
        role: What it looks like.
        points: Corners of a rectangle or of the rectangle around an ellipse; points of a polygon or curve; the middle of a text's base line.
        text: What is written.
        size: Size of the letters, points.
        is_bold: Whether they are bold.
        fill: Colour in place of the role's own.
        rounding: Radius of a rectangle's corners.
        is_flush_left: Whether a text begins at its point, instead of having its middle there.
    """

    kind: str
    role: str
    points: list[Point]
    text: str = ""
    size: float = 0.0
    is_bold: bool = False
    fill: str = ""
    rounding: float = 6.0
    is_flush_left: bool = False


@dataclass(slots=True)
class Group:
    """Shapes that belong together.

    Attributes:
        shapes: In the order of drawing.
        title: What it says when pointed at.
        block: Id of the block that opens when it is chosen, empty where nothing opens.
    """

    shapes: list[Shape] = field(default_factory=list)
    title: str = ""
    block: str = ""


@dataclass(slots=True)
class Sheet:
    """All groups of a picture, and how large it is, in points."""

    width: float
    height: float
    groups: list[Group] = field(default_factory=list)


def sheet_of(picture: Picture, laid: Laid, fills: dict[str, tuple[str, str]] | None = None) -> Sheet:
    """Return the shapes of a picture.

    Args:
        picture: What is drawn.
        laid: Where.
        fills: For boxes that show a value, by their id, the colour of the box and of its text.
    """
    sheet = Sheet(laid.width, laid.height)
    ink = _Ink.of(picture, laid)
    framed = [frame for frame in picture.frames if frame.id in laid.frames]
    sheet.groups += [_frame_group(frame, laid.frames[frame.id]) for frame in framed]
    for arrow, (curve, tip) in zip(picture.arrows, laid.curves, strict=True):
        sheet.groups.append(Group(_arrow_shapes(curve, tip, arrow.kind), arrow.title))
    sheet.groups += [_frame_label(frame, laid.frames[frame.id], ink) for frame in framed]
    for box in picture.boxes:
        fill = (fills or {}).get(box.id, ("", ""))
        sheet.groups.append(Group(_box_shapes(box, laid.boxes[box.id], *fill), box.title, box.block))
    return sheet


def _box_shapes(box: Box, centre: Point, fill: str, ink: str) -> list[Shape]:
    width, height = box.size
    x, y = centre
    corners = [(x - width / 2, y - height / 2), (x + width / 2, y + height / 2)]
    shapes = []
    if box.shape == "diamond":
        shapes.append(Shape("polygon", box.role, [(x, corners[0][1]), (corners[1][0], y), (x, corners[1][1]), (corners[0][0], y)]))
    elif box.shape != "text":
        shapes.append(Shape("ellipse" if box.shape == "ellipse" else "rectangle", box.role, corners, fill=fill))
    total = sum(SIZES[style] * LEADING for _, style in box.lines)
    base = y - total / 2
    for text, style in box.lines:
        size = SIZES[style]
        base += size * LEADING
        role = "muted" if style in ("name", "note", "shape") else "ink"
        shapes.append(Shape("text", role, [(x, base - size * 0.34)], text, size, style in BOLD, ink))
    return shapes


def _arrow_shapes(curve: list[Point], tip: Point | None, kind: str) -> list[Shape]:
    shapes = [Shape("curve", f"{kind}-line", curve)]
    if tip is not None:
        last = curve[-1]
        length = ((tip[0] - last[0]) ** 2 + (tip[1] - last[1]) ** 2) ** 0.5 or 1.0
        along = ((tip[0] - last[0]) / length, (tip[1] - last[1]) / length)
        foot = (tip[0] - along[0] * HEAD[0], tip[1] - along[1] * HEAD[0])
        half = HEAD[1] / 2
        sides = [(foot[0] - along[1] * half, foot[1] + along[0] * half), (foot[0] + along[1] * half, foot[1] - along[0] * half)]
        shapes.append(Shape("polygon", f"{kind}-head", [tip, *sides]))
    return shapes


def _frame_group(frame: Frame, rectangle: Rectangle) -> Group:
    left, top, right, bottom = rectangle
    shape = Shape("rectangle", "repeat-frame" if frame.role == "repeat" else "open-frame", [(left, top), (right, bottom)], rounding=10.0)
    return Group([shape], frame.title, frame.block if frame.role == "repeat" else "")


def _frame_label(frame: Frame, rectangle: Rectangle, ink: "_Ink") -> Group:
    """Put the label into the corner where it lies on least; a plate behind it keeps it readable where an arrow passes."""
    left, top, right, bottom = rectangle
    width = frame_label_width(frame)
    size = SIZES["word"]
    corners = [(left + 4, top), (right - width - 4, top), (left + 4, bottom - FRAME_MARGIN), (right - width - 4, bottom - FRAME_MARGIN)]
    x, y = min(corners, key=lambda corner: (ink.under(corner, width), corners.index(corner)))
    if right - left < width + 8:  # narrower than its label, which then stands beside its upper right corner
        x, y = right, top
    plate = Shape("rectangle", "plate", [(x + 4, y + 3), (x + width - 4, y + FRAME_MARGIN - 2)], rounding=3.0)
    text = Shape("text", "frame-label", [(x + width / 2, y + FRAME_MARGIN / 2 + size * 0.36)], frame.label, size, True)
    return Group([plate, text], frame.title)


@dataclass(frozen=True, slots=True)
class _Ink:
    """What a label could lie on, as arrays: every frame of a large graph asks for all of it.

    Attributes:
        points: Points along all curves, shape ``(n, 2)``.
        curves: Which curve each is on.
        boxes: Left, right, top and bottom of all boxes, shape ``(4, m)``.
    """

    points: np.ndarray
    curves: np.ndarray
    boxes: np.ndarray

    @classmethod
    def of(cls, picture: Picture, laid: Laid) -> "_Ink":
        along = [np.array(samples(curve)) for curve, _ in laid.curves] if laid.frames else []
        owners = np.repeat(np.arange(len(along)), [len(one) for one in along])
        sides = [(x - w / 2, x + w / 2, y - h / 2, y + h / 2) for (x, y), (w, h) in ((laid.boxes[box.id], box.size) for box in picture.boxes)]
        return cls(np.concatenate(along) if along else np.empty((0, 2)), owners, np.array(sides).reshape(-1, 4).T)

    def under(self, corner: Point, width: float) -> int:
        """Return how many curves and boxes a label at ``corner`` would lie on."""
        low = np.array(corner)
        high = low + np.array((width, FRAME_MARGIN))
        is_inside = ((self.points >= low) & (self.points <= high)).all(1)
        left, right, top, bottom = self.boxes
        is_covered = (left < high[0]) & (right > low[0]) & (top < high[1]) & (bottom > low[1])
        return len(np.unique(self.curves[is_inside])) + int(is_covered.sum())


def samples(curve: list[Point], count: int = 12) -> list[Point]:
    """Return points along a chain of cubic Bézier curves, ``count`` of each and the end."""
    chain = np.array(curve)
    n_pieces = (len(chain) - 1) // 3
    pieces = np.stack([chain[place : place + 3 * n_pieces : 3] for place in range(4)]) if n_pieces else np.empty((4, 0, 2))
    t = np.arange(count) / count
    weights = np.array([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
    along = np.einsum("wt,wpc->ptc", weights, pieces).reshape(-1, 2)
    return [(x, y) for x, y in [*along.tolist(), curve[-1]]]


def text_lines(texts: list[str], size: float, role: str, left: float, top: float) -> tuple[list[Shape], float, float]:
    """Return lines of text set flush left under one another, and how wide and high they are."""
    shapes, width = [], 0.0
    for number, text in enumerate(texts):
        shapes.append(Shape("text", role, [(left, top + (number + 0.8) * size * 1.45)], text, size, is_flush_left=True))
        width = max(width, text_width(text, size))
    return shapes, width, len(texts) * size * 1.45
