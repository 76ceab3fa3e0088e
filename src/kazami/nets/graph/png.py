"""The same shapes as PNG, by matplotlib."""

from functools import cache
from typing import Any

from ...errors import CannotWrite
from ...reports.figures import drawing
from .looks import LIGHT
from .shapes import Shape, Sheet

DPI = 144.0
MOST_PIXELS = 32_000  # a side; beyond it the renderer gives up, so that very long graphs come in fewer dots an inch
JAPANESE = ("Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic", "IPAexGothic", "IPAGothic", "TakaoGothic", "MS Gothic", "Meiryo")


@cache
def japanese_fonts() -> tuple[str, ...]:
    """Return the first installed font that has Japanese letters; nothing where there is none."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in JAPANESE if name in installed)[:1]


def write_png(sheet: Sheet, path: str) -> None:
    """Write a sheet as a PNG file.

    Raises:
        CannotWrite: The place cannot be written.
    """
    dpi = min(DPI, MOST_PIXELS * 72 / max(sheet.width, sheet.height, 1.0))
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(sheet.width / 72, sheet.height / 72), dpi=dpi, facecolor=LIGHT["background"].fill)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_xlim(0, sheet.width)
        axes.set_ylim(sheet.height, 0)
        for number, shape in enumerate(shape for group in sheet.groups for shape in group.shapes):
            _draw(axes, shape, number)
        try:
            figure.savefig(path, format="png", dpi=dpi, metadata={"Software": None})
        except OSError as error:
            raise CannotWrite(f"The picture {path} cannot be written ({error.strerror or error}).") from None


def _draw(axes: Any, shape: Shape, order: int) -> None:
    look = LIGHT[shape.role]
    if shape.kind == "text":
        weight, fonts = "bold" if shape.is_bold else "normal", ["DejaVu Sans", *japanese_fonts()]
        place = {"ha": "left" if shape.is_flush_left else "center", "va": "baseline", "zorder": order, "parse_math": False}
        axes.text(*shape.points[0], shape.text, color=shape.fill or look.fill, fontsize=shape.size, fontweight=weight, fontfamily=fonts, **place)
        return
    line: Any = (0, tuple(part / look.width for part in look.dash)) if look.dash else "-"
    axes.add_patch(
        _patch(shape, {"facecolor": shape.fill or look.fill or "none", "edgecolor": look.stroke or "none", "lw": look.width, "ls": line, "zorder": order})
    )


def _patch(shape: Shape, options: dict[str, Any]) -> Any:
    from matplotlib.patches import Ellipse, FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path

    if shape.kind == "curve":
        return PathPatch(Path(shape.points, [Path.MOVETO, *[Path.CURVE4] * (len(shape.points) - 1)]), **options)
    if shape.kind == "polygon":
        return Polygon(shape.points, **options)
    (left, top), (right, bottom) = shape.points
    if shape.kind == "ellipse":
        return Ellipse(((left + right) / 2, (top + bottom) / 2), right - left, bottom - top, **options)
    rounding = min(shape.rounding, (right - left) / 2, (bottom - top) / 2)
    return FancyBboxPatch((left, top), right - left, bottom - top, boxstyle=f"round,pad=0,rounding_size={rounding}", **options)
