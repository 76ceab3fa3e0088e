"""The shapes as SVG: text that stays text, colours for light and dark, blocks that open when chosen, without a script and without the network."""

import zlib
from html import escape

from .looks import DARK, LIGHT, Look
from .shapes import Group, Shape, Sheet

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', 'Noto Sans CJK JP', 'Hiragino Sans', 'Yu Gothic UI', sans-serif"


def svg_of(sheet: Sheet, *, label: str, description: str, insides: dict[str, Sheet], language: str) -> str:
    """Return a sheet as one SVG element.

    Args:
        sheet: What is drawn.
        label: One line, the title.
        description: What is to be seen, in words, for screen readers.
        insides: For blocks that open, by their id, what is in them, already in its place on the sheet.
        language: ``"en"`` or ``"ja"``.
    """
    body = [_group(group, insides) for group in sheet.groups]
    for block, inside in insides.items():
        body.append(f'<g class="card-{block}" tabindex="-1">{"".join(_group(group, {}) for group in inside.groups)}</g>')
    drawn = "\n".join(body)
    own = f"g{zlib.crc32((label + drawn).encode()):08x}"
    drawn = drawn.replace('class="block-', f'class="kg-opens {own}-b-').replace('class="card-', f'class="kg-inside {own}-c-')
    width, height = _number(sheet.width), _number(sheet.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kg {own}" text-anchor="middle" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" lang="{language}" '
        f'role="graphics-document document" aria-labelledby="{own}-t {own}-d">\n'
        f'<title id="{own}-t">{escape(label)}</title>\n<desc id="{own}-d">{escape(description)}</desc>\n'
        f"<style>{_styles(own, insides)}</style>\n"
        f'<rect class="kg-background" width="{width}" height="{height}"/>\n{drawn}\n</svg>\n'
    )


def _styles(own: str, insides: dict[str, Sheet]) -> str:
    rules = [
        f".kg text{{font-family:{FONT}}}",
        ".kg .kg-opens{cursor:pointer;outline:none}",
        ".kg .kg-opens:focus>:first-child,.kg .kg-opens:hover>:first-child{stroke:#d55e00;stroke-width:2.6}",
        ".kg .kg-inside{display:none;outline:none}",
    ]
    rules += [f".{own}-b-{block}:focus~.{own}-c-{block},.{own}-c-{block}:focus-within{{display:inline}}" for block in insides]
    rules += [_rule(role, look) for role, look in LIGHT.items()]
    dark = "".join(_rule(role, look) for role, look in DARK.items())
    return "".join(rules) + f"@media (prefers-color-scheme:dark){{{dark}}}"


def _rule(role: str, look: Look) -> str:
    dash = f";stroke-dasharray:{' '.join(map(_number, look.dash))}" if look.dash else ""
    stroke = f";stroke:{look.stroke};stroke-width:{look.width}" if look.stroke else ""
    return f".kg .kg-{role}{{fill:{look.fill or 'none'}{stroke}{dash}}}"


def _group(group: Group, insides: dict[str, Sheet]) -> str:
    shapes = "".join(_shape(shape) for shape in group.shapes)
    title = f"<title>{escape(group.title)}</title>" if group.title else ""
    if group.block in insides:
        return f'<g class="block-{group.block}" tabindex="0" role="button" aria-label="{escape(group.title)}">{shapes}{title}</g>'
    return f"<g>{shapes}{title}</g>"


def _shape(shape: Shape) -> str:
    style = f' style="fill:{shape.fill}"' if shape.fill else ""
    looks = f'class="kg-{shape.role}"{style}'
    if shape.kind == "text":
        (x, y), weight = shape.points[0], ' font-weight="700"' if shape.is_bold else ""
        anchor = ' text-anchor="start"' if shape.is_flush_left else ""
        return f'<text {looks} x="{_number(x)}" y="{_number(y)}" font-size="{_number(shape.size)}"{weight}{anchor}>{escape(shape.text)}</text>'
    if shape.kind in ("rectangle", "ellipse"):
        (left, top), (right, bottom) = shape.points
        if shape.kind == "ellipse":
            middle = f'cx="{_number((left + right) / 2)}" cy="{_number((top + bottom) / 2)}"'
            return f'<ellipse {looks} {middle} rx="{_number((right - left) / 2)}" ry="{_number((bottom - top) / 2)}"/>'
        size = f'x="{_number(left)}" y="{_number(top)}" width="{_number(right - left)}" height="{_number(bottom - top)}"'
        return f'<rect {looks} {size} rx="{_number(shape.rounding)}"/>'
    points = [f"{_number(x)} {_number(y)}" for x, y in shape.points]
    if shape.kind == "polygon":
        return f'<path {looks} d="M{"L".join(points)}Z"/>'
    return f'<path {looks} d="M{points[0]}C{" ".join(points[1:])}"/>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
