"""The walk as a file: a page, or the graph with all its numbers as a picture."""

from pathlib import Path

from ..errors import CannotWrite, UsageError
from .backprop_drawing import draw
from .backprop_graph import graph_of
from .backprop_page import render_page
from .backprop_printing import svg_file, write_png
from .backprop_words import GRAPH
from .backpropagation import Backprop

ENDINGS = (".html", ".svg", ".png")


def checked_ending(path: str) -> str:
    """Return the ending of ``path``.

    Raises:
        UsageError: It is none of :data:`ENDINGS`.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(f"The walk's file should end in {', '.join(ENDINGS)}, and is called {path!r}.")
    return ending


def write_walk(found: Backprop, path: str, language: str) -> str:
    """Write the walk to ``path`` and return ``path``.

    Raises:
        UsageError: The ending is unknown.
        CannotWrite: The place cannot be written.
    """
    ending = checked_ending(path)
    if ending == ".png":
        write_png(draw(graph_of(found), is_wide=True), path, language)
        return path
    text = render_page(found, language=language) if ending == ".html" else svg_file(draw(graph_of(found), is_wide=True), GRAPH, language)
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"The walk cannot be written to {path} ({error.strerror or error}).") from None
    return path
