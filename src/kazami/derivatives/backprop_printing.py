"""The walk's drawing as SVG, for a page that steps through it or as a file of its own, and as PNG."""

from html import escape
from typing import Any

from ..errors import CannotWrite
from ..nets.graph.looks import DARK, LIGHT, Look
from ..nets.graph.shapes import Shape
from ..nets.graph.svg import FONT
from ..records import Sentence
from ..reports.figures import drawing, figure_language
from .backprop_drawing import Drawing, Piece

_SAME = {"data": "input", "weight": "parameter", "gradient": "decision", "delta": "decision", "operation": "layer", "return": "operation"}
DPI, MOST_PIXELS = 144.0, 32_000  # of a PNG; a longer side the renderer cannot draw


def looks(is_dark: bool) -> dict[str, Look]:
    """Return what each role looks like: quantities and weights as in every data-flow graph of kazami, all that goes back in the colour of decisions."""
    there = DARK if is_dark else LIGHT
    forward, back, gold = there["layer"].stroke, there["decision"].stroke, there["parameter"].stroke
    found = {role: there[same] for role, same in _SAME.items()} | {"return": Look(there["background"].fill, back, 1.3)}
    found |= {f"{role}-text": there["ink"] for role in _SAME}
    found |= {"number": there["ink"], "caption": there["muted"], "gradient-bar": Look("", back, 1.0)}
    solid = (("forward", forward, 1.6), ("weight", gold, 1.3), ("backward", back, 1.6))
    dashed = (("kept", forward, 1.1), ("kept-weight", gold, 1.1))
    for lines, dash in ((solid, ()), (dashed, (4.0, 3.0))):
        for role, colour, width in lines:
            found |= {f"{role}-line": Look("", colour, width, dash), f"{role}-head": Look(colour, "")}
    return found


def styles() -> str:
    """Return the looks as CSS rules whose colours are variables: those reach into a drawing that is shown a second time."""
    return "".join(_rule(role, look) for role, look in looks(is_dark=False).items())


def colours(is_dark: bool) -> str:
    """Return the variables of :func:`styles`."""
    parts = [(f"{role}-{part}", colour) for role, look in looks(is_dark).items() for part, colour in (("fill", look.fill), ("line", look.stroke))]
    return "".join(f"--bp-{name}:{colour};" for name, colour in parts if colour)


def _rule(role: str, look: Look) -> str:
    fill = f"var(--bp-{role}-fill)" if look.fill else "none"
    dash = f";stroke-dasharray:{' '.join(map(_number, look.dash))}" if look.dash else ""
    stroke = f";stroke:var(--bp-{role}-line);stroke-width:{look.width}{dash}" if look.stroke else ""
    return f".bp-{role}{{fill:{fill}{stroke}}}"


def svg_element(drawn: Drawing, label: Sentence, *, language: str = "", class_: str = "", id_: str = "") -> str:
    """Return the drawing as an SVG element.

    Args:
        drawn: From :func:`.backprop_drawing.draw`.
        label: What it says to screen readers.
        language: The one language of its captions; empty for both, of which the page shows one.
        class_: Classes of its own.
        id_: Of the group that holds everything but the captions, so that other drawings on the page can show it again.
    """
    width, height = _number(drawn.width), _number(drawn.height)
    body, captions = ("".join(_piece(piece, language) for piece in drawn.pieces if (piece.words is not None) is is_caption) for is_caption in (False, True))
    named = f' id="{id_}"' if id_ else ""
    both = f' data-en="{escape(label.en)}" data-ja="{escape(label.ja)}"' if not language else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="bp {class_}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" text-anchor="middle" '
        f'role="img" aria-label="{escape(label.in_language(language))}"{both}><g{named}>{body}</g>{captions}</svg>'
    )


def svg_file(drawn: Drawing, label: Sentence, language: str) -> str:
    """Return the drawing as the text of an SVG file, with colours for light and dark."""
    element = svg_element(drawn, label, language=language)
    light, dark = (f"--bp-ground:{there['background'].fill};{colours(there is DARK)}" for there in (LIGHT, DARK))
    rules = f".bp{{font-family:{FONT};{light}}}.bp-ground{{fill:var(--bp-ground)}}{styles()}@media (prefers-color-scheme:dark){{.bp{{{dark}}}}}"
    head = f'<title>{escape(label.in_language(language))}</title><style>{rules}</style><rect class="bp-ground" width="100%" height="100%"/>'
    return element.replace("<g>", f"{head}<g>", 1) + "\n"


def write_png(drawn: Drawing, path: str, language: str) -> None:
    """Write the drawing as a PNG file.

    Raises:
        CannotWrite: The place cannot be written.
    """
    dpi = min(DPI, MOST_PIXELS * 72 / max(drawn.width, drawn.height))
    spoken, there = figure_language(path, language), looks(is_dark=False)
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(drawn.width / 72, drawn.height / 72), dpi=dpi, facecolor=LIGHT["background"].fill)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_xlim(0, drawn.width)
        axes.set_ylim(drawn.height, 0)
        order = 0
        for piece in drawn.pieces:
            for shape in piece.shapes:
                order += 1
                _paint(axes, shape, piece.words.in_language(spoken) if piece.words else shape.text, there[shape.role], order)
        try:
            figure.savefig(path, format="png", dpi=dpi, metadata={"Software": None})
        except OSError as error:
            raise CannotWrite(f"The picture {path} cannot be written ({error.strerror or error}).") from None


def _paint(axes: Any, shape: Shape, text: str, look: Look, order: int) -> None:
    from matplotlib.patches import Ellipse, FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path

    if shape.kind == "text":
        align = {"ha": "left" if shape.is_flush_left else "center", "va": "baseline", "parse_math": False}
        axes.text(*shape.points[0], text, color=look.fill, fontsize=shape.size, fontweight="bold" if shape.is_bold else "normal", zorder=order, **align)
        return
    line: Any = (0, tuple(part / look.width for part in look.dash)) if look.dash else "-"
    options: dict[str, Any] = {"facecolor": look.fill or "none", "edgecolor": look.stroke or "none", "lw": look.width, "ls": line, "zorder": order}
    if shape.kind == "curve":
        axes.add_patch(PathPatch(Path(shape.points, [Path.MOVETO, *[Path.CURVE4] * 3]), **options))
    elif shape.kind == "polygon":
        axes.add_patch(Polygon(shape.points, **options))
    else:
        (left, top), (right, bottom) = shape.points
        middle, width, height = ((left + right) / 2, (top + bottom) / 2), right - left, bottom - top
        round_box = FancyBboxPatch((left, top), width, height, boxstyle="round,pad=0,rounding_size=6", **options)
        axes.add_patch(Ellipse(middle, width, height, **options) if shape.kind == "ellipse" else round_box)


def _piece(piece: Piece, language: str) -> str:
    if piece.words is not None:
        spoken = ("en", "ja") if not language else (language,)
        return "".join(_shape(piece.shapes[0], piece.words.in_language(one), f' class="bp-caption {one}" lang="{one}"') for one in spoken)
    named = f' data-id="{piece.id}"' if piece.kind == "node" else ""
    return f'<g class="{piece.kind} is-{piece.role}" data-step="{piece.step}"{named}>{"".join(_shape(shape, shape.text) for shape in piece.shapes)}</g>'


def _shape(shape: Shape, text: str, attributes: str = "") -> str:
    styled = attributes or f' class="bp-{shape.role}"'
    if shape.kind == "text":
        (x, y), weight = shape.points[0], ' font-weight="650"' if shape.is_bold else ""
        anchor = ' text-anchor="start"' if shape.is_flush_left else ""
        return f'<text{styled} x="{_number(x)}" y="{_number(y)}" font-size="{_number(shape.size)}"{weight}{anchor}>{escape(text)}</text>'
    if shape.kind in ("rectangle", "ellipse"):
        (left, top), (right, bottom) = shape.points
        if shape.kind == "ellipse":
            return f'<circle{styled} cx="{_number((left + right) / 2)}" cy="{_number((top + bottom) / 2)}" r="{_number((right - left) / 2)}"/>'
        return f'<rect{styled} x="{_number(left)}" y="{_number(top)}" width="{_number(right - left)}" height="{_number(bottom - top)}" rx="6"/>'
    points = [f"{_number(x)} {_number(y)}" for x, y in shape.points]
    return f'<path{styled} d="M{"L".join(points)}Z"/>' if shape.kind == "polygon" else f'<path{styled} d="M{points[0]}C{" ".join(points[1:])}"/>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
