"""A graph on paper: its picture, the legend above it, and what has to be said below it."""

import re
from typing import TYPE_CHECKING

from . import words
from .insides import insides_of, moved
from .layout import laid_out
from .lettering import text_width
from .near_sources import with_near_sources
from .picture import SIZES, Picture, picture_of
from .png import japanese_fonts, write_png
from .shapes import Group, Shape, Sheet, sheet_of, text_lines
from .svg import svg_of

if TYPE_CHECKING:
    from .data_flow import Graph

MARGIN = 16.0
LEAST_WIDTH = 420.0  # so that sentences find room under a narrow graph
NOTE = 10.5
LEGEND = (260.0, 12.0)  # width and height of its bar


def drawn_svg(graph: "Graph", *, open_blocks: bool, fold: bool, language: str) -> str:
    """Return a graph as SVG."""
    picture = _picture(graph, open_blocks, fold, language)
    sheet = _sheet(graph, picture, language)
    shown = [group.block for group in sheet.groups if group.block]
    largest = (max(1.3 * sheet.width, 640.0), max(1.1 * sheet.height, 480.0))
    cards = insides_of(graph.nodes, graph.edges, graph.blocks, shown, largest, language)
    insides = {name: _beside(name, card, sheet) for name, card in cards.items()}
    for card in insides.values():
        sheet.width, sheet.height = max(sheet.width, card.width), max(sheet.height, card.height)
    title = words.TITLE.in_language(language).format(name=graph.model)
    said = " ".join([graph.summary(language), *(note.in_language(language) for note in graph.notes)])
    return svg_of(sheet, label=title, description=said, insides=insides, language=language)


def draw_png(graph: "Graph", path: str, *, open_blocks: bool, fold: bool, language: str) -> None:
    """Write a graph as PNG; without a font that has Japanese letters it is written in English."""
    language = language if language != "ja" or japanese_fonts() else "en"
    write_png(_sheet(graph, _picture(graph, open_blocks, fold, language), language), path)


def _picture(graph: "Graph", open_blocks: bool, fold: bool, language: str) -> Picture:
    return with_near_sources(picture_of(graph.nodes, graph.edges, graph.blocks, open_blocks=open_blocks, fold=fold, language=language))


def _sheet(graph: "Graph", picture: Picture, language: str) -> Sheet:
    """Return the picture with its legend above, warnings first, and notes below."""
    inner = sheet_of(picture, laid_out(picture), _fills(graph, picture))
    width = max(inner.width, LEAST_WIDTH)
    top = MARGIN
    groups: list[Group] = []
    if graph.has_other_paths:
        sentence = words.PATH_TAKEN if words.PATH_TAKEN in graph.notes else words.RANDOM_PATH
        lines, _, height = text_lines(wrapped("⚠ " + sentence.in_language(language), NOTE, width), NOTE, "ink", MARGIN, top)
        groups.append(Group(lines))
        top += height + 8
    if graph.colouring is not None:
        groups += _legend(graph, top)
        top += 48
    body = moved(inner, MARGIN + (width - inner.width) / 2, top)
    top += inner.height + 14
    said = [graph.summary(language), *(note.in_language(language) for note in graph.notes if note not in (words.PATH_TAKEN, words.RANDOM_PATH))]
    lines, _, height = text_lines([line for one in said for line in wrapped(one, NOTE, width)], NOTE, "muted", MARGIN, top)
    return Sheet(width + 2 * MARGIN, top + height + MARGIN, [*groups, *body.groups, Group(lines)])


def _fills(graph: "Graph", picture: Picture) -> dict[str, tuple[str, str]]:
    if graph.colouring is None:
        return {}
    fills = {}
    for box in picture.boxes:
        value = graph.colouring.value_of(box.names) if box.shape == "box" else None
        if value is not None:
            fills[box.id] = graph.colouring.colours_of(value)
            box.title += f" · {graph.colouring.label} = {value:.3g}"
    return fills


def _legend(graph: "Graph", top: float) -> list[Group]:
    if graph.colouring is None:
        return []
    patches, (low, high) = graph.colouring.legend()
    width, height = LEGEND
    step = width / len(patches)
    bar = [
        Shape("rectangle", "ink", [(MARGIN + n * step, top + 16), (MARGIN + (n + 1) * step + 0.3, top + 16 + height)], fill=one, rounding=0)
        for n, one in enumerate(patches)
    ]
    bar.append(Shape("rectangle", "bar", [(MARGIN, top + 16), (MARGIN + width, top + 16 + height)], rounding=0))
    size = SIZES["note"]
    title = Shape("text", "ink", [(MARGIN, top + 9)], graph.colouring.label, NOTE, is_flush_left=True)
    ends = [(MARGIN + text_width(low, size) / 2, low), (MARGIN + width - text_width(high, size) / 2, high)]
    return [Group([*bar, title, *(Shape("text", "muted", [(x, top + 40)], text, size) for x, text in ends)])]


def _beside(block: str, card: Sheet, sheet: Sheet) -> Sheet:
    """Return the card of an opened block moved over its block, as far inside the sheet as it goes."""
    group = next(one for one in sheet.groups if one.block == block)
    (left, top), (right, bottom) = group.shapes[0].points[:2]
    x = min(max((left + right - card.width) / 2, 4.0), max(4.0, sheet.width - card.width - 4))
    y = min(max((top + bottom - card.height) / 2, 4.0), max(4.0, sheet.height - card.height - 4))
    placed = moved(card, x, y)
    return Sheet(x + card.width + 4, y + card.height + 4, placed.groups)


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Return a sentence as lines no wider than ``width``; Japanese may break between any two letters, but not before a closing mark.

    >>> wrapped("one two three", 10.0, 60.0)
    ['one two', 'three']
    """
    lines = [""]
    for part in re.findall(r"[\x21-\u2fff]+ ?| |[^\x00-\u2fff][、。，．）」]*", text):
        if lines[-1] and text_width(lines[-1] + part.rstrip(), size) > width:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]
