"""Figures for people: one look for all plots, as PNG or PDF, or as SVG that a page can take in and that follows the page's own colours.

No ``pyplot``: a figure belongs to whoever made it, nothing is global, and no window opens. Matplotlib is imported when the first figure is made.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CannotWrite, UsageError
from ..files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, ACCENT, PATH = "#17222c", "#56636f", "#0b5c7a", "#c8401c"
# Okabe and Ito 2008 without yellow, which vanishes on white; lines differ in dash as well.
SERIES = (ACCENT, "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#8a6d00", INK)
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1)), (0, (8, 3)), (0, (2, 3)))
FORMATS = (".png", ".svg", ".pdf")

_FONT = "DejaVu Sans"
_JAPANESE_FONTS = ("Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic", "Meiryo", "IPAexGothic", "IPAGothic", "TakaoGothic", "MS Gothic")
_LOOK: Any = {
    "font.size": 10.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.titlesize": 11.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dde3e8",
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "figure.dpi": 110.0,
    "savefig.dpi": 160.0,
    "svg.fonttype": "none",  # text stays text: searchable, and Japanese in the reader's own font
    "svg.hashsalt": "kazami",  # the same figure gives the same file
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in kazami's look: everything that makes or changes a figure belongs inside."""
    import matplotlib as mpl

    fonts = [_FONT] if japanese_font() is None else [_FONT, japanese_font()]
    with mpl.rc_context({**_LOOK, "font.family": fonts}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)  # SVG leaves the font to the reader
        yield


@cache
def japanese_font() -> str | None:
    """Return a font of this machine that has Japanese letters, ``None`` where matplotlib finds none."""
    from matplotlib.font_manager import get_font_names

    there = set(get_font_names())
    return next((name for name in _JAPANESE_FONTS if name in there), None)


def figure_language(path: str, language: str) -> str:
    """Return the language for a figure's own words: English where a PNG or PDF would show boxes, because this machine has no Japanese font.

    Args:
        path: Where the figure goes; an SVG leaves the font to whoever looks at it.
        language: What the user wants.
    """
    return language if language == "en" or path.lower().endswith(".svg") or japanese_font() is not None else "en"


def new_figure(rows: int = 1, columns: int = 1, *, width: float = 6.4, height: float = 3.6, **options: Any) -> "tuple[Figure, Any]":
    """Return a figure and its axes, laid out so that nothing overlaps.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        width: Inches.
        height: Inches.
        options: Go on to ``Figure.subplots`` (``sharex``, ``squeeze``, ``subplot_kw`` …).
    """
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns, **options)


def save_figure(figure: "Figure", path: str) -> str:
    """Write a figure as PNG, SVG or PDF, by the ending of ``path``, and return ``path``.

    Raises:
        UsageError: The ending is none of these.
        CannotWrite: The place cannot be written.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise UsageError(f"A figure's file should end in {', '.join(FORMATS)}, and is called {path!r}.")
    try:
        with drawing(), whole_file(path) as half:
            figure.savefig(half, metadata={"Date": None} if path.lower().endswith(".svg") else None)
    except OSError as error:
        raise CannotWrite(f"The figure {path} cannot be written ({error.strerror or error}).") from None
    return path


def inline_svg(figure: "Figure", label: str) -> str:
    """Return a figure as an SVG element for a page: no background, ink and grid in the page's own colours, ``label`` for screen readers.

    Args:
        figure: What :func:`new_figure` made.
        label: One sentence that says what is to be seen.
    """
    buffer = io.StringIO()
    with drawing():
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor").replace(MUTED, "var(--muted, #56636f)").replace("#dde3e8", "var(--line, #dde3e8)")
    svg = re.sub(r"font:([^;\"]*)'DejaVu Sans'[^;\"]*", r"font:\1system-ui, 'Noto Sans CJK JP', 'Hiragino Sans', sans-serif", svg)
    svg = re.sub(r"font-family: *'?DejaVu Sans'?[^;\"]*", "font-family: system-ui, 'Noto Sans CJK JP', 'Hiragino Sans', sans-serif", svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    spoken = label.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return _own_names(svg.replace("<svg", f'<svg role="img" aria-label="{spoken}"', 1), label)


def _own_names(svg: str, label: str) -> str:
    """Give the ids in ``svg`` a prefix of its own: several figures share one page."""
    import zlib

    prefix = f"f{zlib.crc32((label + svg).encode()):08x}-"
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'(href=")#', rf"\1#{prefix}", svg)
    return re.sub(r"url\(#", f"url(#{prefix}", svg)
