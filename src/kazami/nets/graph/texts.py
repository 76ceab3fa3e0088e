"""The picture as text: a Mermaid flow chart, or a Graphviz source."""

from typing import TYPE_CHECKING, Any

from .looks import LIGHT
from .picture import Box, Picture, picture_of

if TYPE_CHECKING:
    from .data_flow import Graph


def mermaid(graph: "Graph", *, open_blocks: bool, fold: bool, language: str) -> str:
    """Return a graph as a Mermaid flow chart."""
    picture = picture_of(graph.nodes, graph.edges, graph.blocks, open_blocks=open_blocks, fold=fold, language=language)
    lines = ["flowchart TD"]
    lines += [f"%% {sentence}" for sentence in [graph.summary(language), *(note.in_language(language) for note in graph.notes)]]
    lines += _nested(
        picture, lambda frame, label, depth: f'{"  " * depth}subgraph {_word(frame)}["{_quoted(label)}"]', _mermaid_box, lambda depth: "  " * depth + "end"
    )
    arrows = {"data": "-->", "skip": "==>", "weight": "-.->"}
    lines += [f"  {_word(arrow.source)} {arrows[arrow.kind] if arrow.has_head else '---'} {_word(arrow.target)}" for arrow in picture.arrows]
    return "\n".join(lines) + "\n"


def dot(graph: "Graph", *, open_blocks: bool, fold: bool, language: str) -> str:
    """Return a graph as a Graphviz source."""
    picture = picture_of(graph.nodes, graph.edges, graph.blocks, open_blocks=open_blocks, fold=fold, language=language)
    lines = [
        "digraph kazami {",
        f'  label="{_escaped(graph.summary(language))}"; labelloc=b; rankdir=TB; node [fontname="sans-serif", style=filled, fillcolor=white];',
    ]
    lines += _nested(
        picture,
        lambda frame, label, depth: f'{"  " * depth}subgraph "cluster_{frame}" {{ label="{_escaped(label)}"; style="rounded,dashed";',
        _dot_box,
        lambda depth: "  " * depth + "}",
    )
    styles = {"data": "", "skip": ' [style=bold, color="#d55e00"]', "weight": " [style=dashed]"}
    lines += [f'  "{arrow.source}" -> "{arrow.target}"{styles[arrow.kind]};' for arrow in picture.arrows]
    return "\n".join([*lines, "}"]) + "\n"


def _nested(picture: Picture, opening: Any, box_line: Any, closing: Any) -> list[str]:
    """Return the lines of all boxes, those in frames between the frames' first and last lines."""
    lines: list[str] = []
    waiting: list[tuple[str, str, int]] = [("open", "", 0)]
    labels = {frame.id: frame.label for frame in picture.frames}
    while waiting:
        what, frame, depth = waiting.pop()
        if what == "close":
            lines.append(closing(depth))
            continue
        if frame:
            lines.append(opening(frame, labels[frame], depth))
        lines += ["  " * (depth + 1) + box_line(box) for box in picture.boxes if box.frame == frame]
        if frame:
            waiting.append(("close", frame, depth))
        waiting += [("open", one.id, depth + 1) for one in reversed(picture.frames) if one.parent == frame]
    return lines


def _mermaid_box(box: Box) -> str:
    text = _quoted("<br/>".join(line for line, _ in box.lines))
    ends = {"ellipse": ("([", "])"), "diamond": ("{", "}"), "text": ("[", "]")}.get(box.shape, ("[", "]"))
    return f'{_word(box.id)}{ends[0]}"{text}"{ends[1]}'


def _dot_box(box: Box) -> str:
    label = "\\n".join(_escaped(line) for line, _ in box.lines)
    shape = {"ellipse": "ellipse", "diamond": "diamond", "text": "plaintext"}.get(box.shape, "box")
    fill = LIGHT[box.role].fill if box.role in LIGHT else ""
    return f'"{box.id}" [shape={shape}, label="{label}"{f", fillcolor={chr(34)}{fill}{chr(34)}" if fill else ""}];'


def _word(name: str) -> str:
    return "k_" + "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name)


def _quoted(text: str) -> str:
    return text.replace("<br/>", "\0").replace("&", "&amp;").replace('"', "#quot;").replace("<", "&lt;").replace("\0", "<br/>")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
