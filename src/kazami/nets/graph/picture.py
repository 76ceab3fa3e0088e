"""What is drawn of a graph: boxes, circles and frames, blocks closed or open, repeats folded or not. Where they stand is another's business."""

import re
from collections import Counter
from dataclasses import dataclass, field

from . import words
from .lettering import shortened, text_width
from .records import Block, Edge, Node

_HIDDEN = re.compile(r"[HY]\d+")
Line = tuple[str, str]  # (text, style)
SIZES = {"name": 9.5, "main": 13.0, "note": 9.5, "sign": 15.0, "word": 11.0, "quantity": 13.0, "shape": 9.5}
BOLD = frozenset(("main", "quantity"))
LEADING = 1.28  # height of a line in font sizes
WIDEST = 240.0  # points; longer paths are shortened
FEW = 60  # up to so many boxes hidden quantities get circles of their own


@dataclass(slots=True)
class Box:
    """Something with text in it.

    Attributes:
        id: Id of the node or block, or one of its own for a hidden quantity.
        shape: ``"box"``, ``"ellipse"``, ``"diamond"`` or ``"text"``.
        role: What it looks like: the kind of block or node.
        lines: Its text.
        frame: Id of the frame it stands in, empty outside of all.
        title: What it says when pointed at.
        block: Id of the closed block it stands for, empty for a node.
        names: Names by which a value for it is looked up.
    """

    id: str
    shape: str
    role: str
    lines: list[Line]
    frame: str = ""
    title: str = ""
    block: str = ""
    names: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points, from the widths of its lines."""
        width = max((text_width(text, SIZES[style], is_bold=style in BOLD) for text, style in self.lines), default=0.0)
        height = sum(SIZES[style] * LEADING for _, style in self.lines)
        if self.shape == "ellipse":  # the smallest ellipse of these proportions around a rectangle is √2 times as wide and high
            width, height = width * 1.38 + 8, height * 1.38 + 6
            return (max(width, height), height) if width < 1.25 * height else (width, height)
        if self.shape == "diamond":
            return width * 1.5 + 28, height * 1.5 + 16
        if self.shape == "text":
            return width + 10, height + 4
        return max(width + 20, 34.0), height + 12


@dataclass(slots=True)
class Arrow:
    """A line between two boxes.

    Attributes:
        source: Id of a box.
        target: Id of a box.
        kind: ``"data"``, ``"skip"`` or ``"weight"``.
        title: Shape and dtype of what goes along it.
        has_head: Whether it ends in an arrowhead.
    """

    source: str
    target: str
    kind: str
    title: str
    has_head: bool = True


@dataclass(slots=True)
class Frame:
    """A line around boxes that belong together: a repeat, or an opened block."""

    id: str
    parent: str
    role: str
    label: str
    title: str
    block: str


@dataclass(slots=True)
class Picture:
    """What is drawn."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


@dataclass(slots=True)
class _Place:
    box: str
    node: str  # the node in the drawn repetition that stands for it
    frames: tuple[str, ...]
    passes: dict[str, int]  # for each folded repeat around it, in which repetition the node really is


def picture_of(nodes: tuple[Node, ...], edges: tuple[Edge, ...], blocks: tuple[Block, ...], *, open_blocks: bool, fold: bool, language: str) -> Picture:
    """Return what is drawn of a graph.

    Args:
        nodes: Its nodes.
        edges: Its edges.
        blocks: Its blocks, parents before their children.
        open_blocks: Draw what is in blocks, in a frame each, instead of one box.
        fold: Draw equal parts once.
        language: ``"en"`` or ``"ja"``.
    """
    drawer = _Drawer(nodes, edges, blocks, open_blocks, fold, language)
    drawer.place_all()
    drawer.draw_boxes()
    drawer.draw_arrows()
    drawer.draw_frames()
    return drawer.picture


class _Drawer:
    def __init__(self, nodes: tuple[Node, ...], edges: tuple[Edge, ...], blocks: tuple[Block, ...], is_open: bool, fold: bool, language: str) -> None:
        self.picture = Picture()
        self._nodes = {node.id: node for node in nodes}
        self._edges = edges
        self._blocks = {block.id: block for block in blocks}
        self._is_open, self._fold, self._language = is_open, fold, language
        self._owner = {node: block.id for block in blocks for node in block.nodes}
        self._passes = {block.id: _passes_of(block) for block in blocks if block.kind == "repeat"}
        self._places: dict[str, _Place] = {}
        self._frames: dict[str, str] = {}
        usual = Counter(edge.dtype for edge in edges if edge.dtype.startswith(("float", "bfloat"))).most_common(1)
        self._usual_dtype = usual[0][0] if usual else "float32"

    def place_all(self) -> None:
        """Find for each node the box that shows it."""
        for node in self._nodes:
            self._places[node] = self._place_of(node)

    def _place_of(self, node: str) -> _Place:
        passes: dict[str, int] = {}
        frames: list[str] = []
        chain = self._chain(node)
        position = 0
        while position < len(chain):
            block = self._blocks[chain[position]]
            position += 1
            if block.kind == "repeat":
                if self._fold:
                    number, node = self._passes[block.id][node]
                    passes[block.id] = number
                    frames.append(block.id)
                    chain = chain[:position] + self._chain(node)[position:]
            elif not self._is_open:
                return _Place(block.id, node, tuple(frames), passes)
            elif block.kind not in ("reshape", "operation"):
                frames.append(block.id)
        return _Place(node, node, tuple(frames), passes)

    def _chain(self, node: str) -> list[str]:
        chain = []
        block = self._owner.get(node, "")
        while block:
            chain.append(block)
            block = self._blocks[block].parent
        return chain[::-1]

    def draw_boxes(self) -> None:
        """Make a box for everything that shows at least one node."""
        seen: set[str] = set()
        for place in self._places.values():
            if place.box not in seen:
                seen.add(place.box)
                frame = place.frames[-1] if place.frames else ""
                box = self._block_box(self._blocks[place.box]) if place.box in self._blocks else self._node_box(self._nodes[place.box])
                box.frame = self._frames[box.id] = frame
                self.picture.boxes.append(box)

    def _block_box(self, block: Block) -> Box:
        lines: list[Line] = []
        if block.name and block.kind != "reshape":
            lines.append((shortened(block.name, SIZES["name"], WIDEST), "name"))
        if block.kind == "layer":
            lines.append((shortened(block.formula, SIZES["main"], WIDEST), "main"))
        else:
            name = f"φ({block.label})" if block.kind == "norm" and block.activation else block.label
            lines.append((name, "word" if block.kind in ("reshape", "operation") else "main"))
        if block.kind in ("recurrent", "attention") and block.formula:
            lines.append((block.formula, "note"))
        lines += self._notes(block)
        names = (block.name, *block.parameter_names)
        return Box(block.id, "box", block.kind, lines, title=self._block_title(block), block=block.id, names=names)

    def _notes(self, block: Block) -> list[Line]:
        said = []
        if block.activation:
            said.append(f"φ = {block.activation}")
        if block.kind == "layer" and block.label not in ("linear", "embedding"):
            said.append(block.label)
        if block.uses > 1:
            said.append("W " + words.USED.in_language(self._language).format(times=block.uses))
        return [(" · ".join(said), "note")] if said else []

    def _block_title(self, block: Block) -> str:
        parts = [block.name, block.formula or block.label, f"φ = {block.activation}" if block.activation else ""]
        if block.parameters:
            parts.append(f"{block.parameters:,} {words.PARAMETERS.in_language(self._language)}")
        return " · ".join(part for part in parts if part)

    def _node_box(self, node: Node) -> Box:
        if node.is_quantity:
            label = _subscript(node.label) if _HIDDEN.fullmatch(node.label) else node.label
            lines = [(shortened(label, SIZES["quantity"], 120), "quantity"), (self._looks(node.dims, node.dtype), "shape")]
            if node.kind in ("parameter", "buffer") and node.uses > 1:
                lines.append((words.USED.in_language(self._language).format(times=node.uses), "shape"))
            return Box(node.id, "ellipse", node.kind, [line for line in lines if line[0]], title=self._node_title(node))
        if node.kind == "decision":
            return Box(
                node.id,
                "diamond",
                "decision",
                [(node.label, "word")],
                title=" · ".join(filter(None, (node.name, words.PATH_TAKEN.in_language(self._language)))),
            )
        style = "sign" if len(node.label) <= 2 and not node.label.isalnum() else "word"
        return Box(node.id, "box", "operation", [(node.label, style)], title=self._node_title(node), names=(node.module,))

    def _node_title(self, node: Node) -> str:
        parts = [node.name or node.op, node.module, self._looks(node.dims, node.dtype, is_full=True), node.details]
        return " · ".join(part for part in parts if part)

    def _looks(self, dims: tuple[str, ...], dtype: str, *, is_full: bool = False) -> str:
        shape = "×".join(dims)
        return f"{shape} {dtype}".strip() if is_full or (dtype and dtype != self._usual_dtype) else shape

    def draw_arrows(self) -> None:
        """Draw each wire once, and name what goes along where it changes."""
        groups: dict[tuple[str, str, int], list[tuple[Edge, str]]] = {}
        for edge in self._edges:
            start, end = self._places.get(edge.source), self._places.get(edge.target)
            if start is None or end is None or start.box == end.box or self._is_carried(start, end):
                continue
            group = groups.setdefault((start.box, start.node, edge.slot), [])
            if all(known != end.box for _, known in group):
                group.append((edge, end.box))
        arriving: dict[str, set[tuple[str, ...]]] = {}
        for group in groups.values():
            for edge, target in group:
                if edge.kind != "weight":
                    arriving.setdefault(target, set()).add(edge.dims)
        self._number = 0
        for (source, _, _), group in groups.items():
            self._draw_group(source, group, arriving)

    def _is_carried(self, source: _Place, target: _Place) -> bool:
        """Tell whether a wire goes from one repetition to the next: the frame's "× n" says so already."""
        return any(target.passes.get(repeat, number) != number for repeat, number in source.passes.items())

    def _draw_group(self, source: str, group: list[tuple[Edge, str]], arriving: dict[str, set[tuple[str, ...]]]) -> None:
        edge = group[0][0]
        title = self._looks(edge.dims, edge.dtype, is_full=True)
        start = source
        only_output = len(group) == 1 and self._nodes.get(group[0][1], None) is not None and self._nodes[group[0][1]].kind == "output"
        if edge.kind != "weight" and not only_output and not (source in self._nodes and self._nodes[source].is_quantity):
            start = self._quantity(source, edge, arriving.get(source, set()), title)
        for one, target in group:
            kind = "weight" if one.kind == "weight" else one.kind
            self.picture.arrows.append(Arrow(start, target, kind, title))

    def _quantity(self, source: str, edge: Edge, arriving: set[tuple[str, ...]], title: str) -> str:
        """Put the hidden quantity, or its new shape, behind the box that makes it, and return where its arrows begin."""
        looks = self._looks(edge.dims, edge.dtype)
        has_circle = bool(edge.name) and len(self.picture.boxes) - self._number <= FEW
        if not has_circle and (edge.dims in arriving or not looks):
            return source
        self._number += 1
        name = f"q{self._number}"
        frame = self._frames[source]
        if has_circle:
            box = Box(name, "ellipse", "hidden", [(_subscript(edge.name), "quantity"), (looks, "shape")], frame, f"{edge.name} · {title}")
        else:
            box = Box(name, "text", "shape", [(looks, "shape")], frame, title)
        self.picture.boxes.append(box)
        self.picture.arrows.append(Arrow(source, name, "data", title, has_head=has_circle))
        return name

    def draw_frames(self) -> None:
        """Draw a frame around each folded repeat and each open block, the outer before the inner."""
        seen: dict[str, str] = {}
        for place in self._places.values():
            for position, name in enumerate(place.frames):
                seen.setdefault(name, place.frames[position - 1] if position else "")
        for name in (block for block in self._blocks if block in seen):
            block = self._blocks[name]
            label = block.label if block.kind == "repeat" else (block.name or block.label)
            if block.shares_weights:
                label += f" · {words.SAME_WEIGHTS.in_language(self._language)}"
            title = f"{block.name} · {block.label} · {block.parameters:,} {words.PARAMETERS.in_language(self._language)}"
            self.picture.frames.append(Frame(name, seen[name], block.kind, label, title, name))


def _passes_of(block: Block) -> dict[str, tuple[int, str]]:
    return {node: (number, first) for number, part in enumerate(block.repetitions) for node, first in zip(part, block.repetitions[0], strict=True)}


def _subscript(name: str) -> str:
    return name[0] + name[1:].translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
