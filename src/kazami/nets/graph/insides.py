"""What is in a block: a small picture of its own, shown over the large one when the block is chosen."""

from dataclasses import replace

from . import words
from .layout import laid_out, least_height
from .naming import common_path
from .picture import SIZES, picture_of
from .records import Block, Edge, Node
from .shapes import Group, Shape, Sheet, sheet_of, text_lines

MARGIN = 14.0
MOST_NODES = 400  # in one opened repeat
MOST_LINES = 24
MOST_BLOCKS = 150  # that open in one picture: each is a layout of its own
SHOWN_STEPS = 3  # of an unrolled recurrence, before the dots


def insides_of(
    nodes: tuple[Node, ...], edges: tuple[Edge, ...], blocks: tuple[Block, ...], shown: list[str], largest: tuple[float, float], language: str
) -> dict[str, Sheet]:
    """Return the pictures of what is in the blocks ``shown``, by their id.

    A repeat whose picture would be larger than ``largest`` (width and height, points) lists its parts; of very many blocks the later have none.
    """
    by_id = {block.id: block for block in blocks}
    node_of = {node.id: node for node in nodes}
    arriving: dict[str, list[Edge]] = {}
    leaving: dict[str, list[Edge]] = {}
    for edge in edges:
        arriving.setdefault(edge.target, []).append(edge)
        leaving.setdefault(edge.source, []).append(edge)
    made: dict[str, Sheet] = {}
    for name in shown[:MOST_BLOCKS]:
        block = by_id[name]
        if block.kind == "repeat" and len(block.nodes) > MOST_NODES:
            made[name] = _listed(block, node_of, language)
            continue
        parts = _unrolled(block, node_of, arriving) if block.kind == "recurrent" and block.uses > 1 else _around(block, node_of, arriving, leaving)
        children = _descendants(block, blocks)
        picture = picture_of(*parts, children, open_blocks=False, fold=block.kind != "repeat", language=language)
        if block.kind == "repeat" and least_height(picture) + 2 * MARGIN > largest[1]:  # known before the layout, which takes long for such a picture
            made[name] = _listed(block, node_of, language)
            continue
        made[name] = _card(sheet_of(picture, laid_out(picture)))
        if block.kind == "repeat" and (made[name].width > largest[0] or made[name].height > largest[1]):
            made[name] = _listed(block, node_of, language)
    return made


def _descendants(block: Block, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    inside = {block.id}
    found = []
    for one in blocks:
        if one.parent in inside:
            inside.add(one.id)
            found.append(replace(one, parent="") if one.parent == block.id else one)
    return tuple(found)


def _around(
    block: Block, node_of: dict[str, Node], arriving: dict[str, list[Edge]], leaving: dict[str, list[Edge]]
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """Return the nodes and edges in a block, with what comes in and what goes out as quantities."""
    inside = set(block.nodes)
    nodes = [node_of[name] for name in block.nodes]
    edges: list[Edge] = []
    ends: dict[str, Node] = {}
    for name in block.nodes:
        for edge in arriving.get(name, []):
            if edge.source not in inside:
                _add_end(ends, edge, node_of[edge.source], "input")
                edge = replace(edge, source=f"in-{edge.source}-{edge.slot}", slot=0)
            edges.append(edge)
        for edge in leaving.get(name, []):
            key = f"out-{name}-{edge.slot}"
            if edge.target not in inside and key not in ends:
                ends[key] = Node(key, "output", "", edge.name or "Y", shape=edge.shape, dims=edge.dims, dtype=edge.dtype)
                edges.append(replace(edge, target=key))
    return (*nodes, *ends.values()), tuple(edges)


def _add_end(ends: dict[str, Node], edge: Edge, source: Node, kind: str) -> None:
    key = f"in-{edge.source}-{edge.slot}"
    if source.is_quantity:
        ends.setdefault(key, replace(source, id=key))
    else:
        ends.setdefault(key, Node(key, kind, "", edge.name or "X", shape=edge.shape, dims=edge.dims, dtype=edge.dtype))


def _unrolled(block: Block, node_of: dict[str, Node], arriving: dict[str, list[Edge]]) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """Return a recurrence over time drawn step by step: the same weights enter every step."""
    cell = next(node_of[name] for name in block.nodes if node_of[name].kind == "operation" and node_of[name].op == block.label.lower())
    weights = Node("w", "parameter", "", "W, U, b", name=", ".join(block.parameter_names), parameters=block.parameters, uses=block.uses)
    times = [str(one) for one in range(1, min(SHOWN_STEPS, block.uses) + 1)]
    times += ["…"] * (block.uses > SHOWN_STEPS + 1) + [str(block.uses)] * (block.uses > SHOWN_STEPS)
    data = next((edge for edge in arriving.get(cell.id, []) if edge.kind != "weight"), None)
    nodes, edges = [weights], []
    for place, time in enumerate(times):
        nodes.append(Node(f"s{place}", "operation", cell.op, f"{cell.op}  t = {time}" if time != "…" else "…", name=block.name))
        if time != "…":
            nodes.append(Node(f"x{place}", "input", "", f"x({time})", dims=data.dims[:1] + data.dims[2:] if data is not None and len(data.dims) == 3 else ()))
            edges.append(Edge(f"x{place}", f"s{place}", (), (), ""))
            edges.append(Edge("w", f"s{place}", (), (), "", "weight"))
        if place:
            edges.append(Edge(f"s{place - 1}", f"s{place}", (), (), ""))
    nodes.append(Node("y", "output", "", "Y", dims=cell.dims, dtype=cell.dtype))
    return tuple(nodes), (*edges, Edge(f"s{len(times) - 1}", "y", (), cell.dims, cell.dtype))


def _listed(block: Block, node_of: dict[str, Node], language: str) -> Sheet:
    """Return the parts of a repeat as lines of text."""
    said = [block.label + (f" · {words.SAME_WEIGHTS.in_language(language)}" if block.shares_weights else "")]
    for number, part in enumerate(block.repetitions, start=1):
        size = sum(node_of[name].parameters for name in part)
        counted = f" · {size:,} {words.PARAMETERS.in_language(language)}" if size else ""
        module = common_path([node_of[name].module for name in part])
        said.append(f"{number}{' · ' + module if module else ''}{counted}")
    if all(line.isdigit() for line in said[1:]):  # steps of a loop: there is nothing to tell them apart by
        said = said[:1]
    if len(said) > MOST_LINES:
        said = [*said[: MOST_LINES // 2], "…", *said[-MOST_LINES // 2 :]]
    lines, width, height = text_lines([*said, words.UNFOLD.in_language(language)], SIZES["note"], "ink", 0.0, 0.0)
    return _card(Sheet(width, height, [Group(lines)]))


def _card(sheet: Sheet) -> Sheet:
    """Put a margin and a border around a sheet."""
    moved_sheet = moved(sheet, MARGIN, MARGIN)
    width, height = sheet.width + 2 * MARGIN, sheet.height + 2 * MARGIN
    border = Group([Shape("rectangle", "card", [(0.0, 0.0), (width, height)], rounding=10.0)])
    return Sheet(width, height, [border, *moved_sheet.groups])


def moved(sheet: Sheet, right: float, down: float) -> Sheet:
    """Return a sheet with all its shapes moved."""
    groups = [
        Group([replace(shape, points=[(x + right, y + down) for x, y in shape.points]) for shape in group.shapes], group.title, group.block)
        for group in sheet.groups
    ]
    return Sheet(sheet.width, sheet.height, groups)
