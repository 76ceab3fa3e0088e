"""The figure of most experiments: a few measured lines, and where there is a theory its lines beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..records import Sentence
from ..reports.figures import DASHES, INK, MUTED, SERIES, drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MANY = 4
THEORY = Sentence("theory", "理論")


def line_figure(
    lines: Mapping[str, Any],
    *,
    title: Sentence,
    labels: tuple[Sentence, Sentence],
    language: str,
    names: Mapping[str, Sentence] | None = None,
    theory: Mapping[str, Any] | None = None,
    references: Mapping[str, Any] | None = None,
    scales: tuple[str, str] = ("linear", "linear"),
    width: float = 6.4,
) -> "Figure":
    """Return a figure with one line per entry of ``lines``.

    Args:
        lines: By key the heights, drawn over 0, 1, 2 …, or a pair of places and heights.
        title: The finding.
        labels: What the axes show, with units.
        language: ``"en"`` or ``"ja"``.
        names: What the legend calls each key; the key itself by default.
        theory: What was expected, drawn dotted above the measured lines.
        references: Further lines to compare with, by their names in the legend, drawn grey.
        scales: ``"linear"`` or ``"log"`` for the two axes.
        width: Inches.
    """
    with drawing():
        figure, axes = new_figure(width=width, height=3.8)
        draw_lines(axes, lines, language=language, names=names, theory=theory)
        for number, (name, line) in enumerate((references or {}).items()):
            axes.plot(*places_and_heights(line), color=MUTED, linewidth=1.2, linestyle=DASHES[-1 - number % len(DASHES)], label=name)
        finish_axes(axes, title=title, labels=labels, language=language, scales=scales)
        if len(lines) > MANY:
            axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))  # it would lie on the lines
        elif lines:
            axes.legend(fontsize=9)
    return figure


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several axes beside each other; its attributes are arguments of :func:`line_figure`."""

    lines: Mapping[str, Any]
    title: Sentence
    labels: tuple[Sentence, Sentence]
    scales: tuple[str, str] = ("linear", "linear")
    ticks: Sequence[float] = ()


def panel_figure(panels: Sequence[Panel], *, language: str, names: Mapping[str, Sentence] | None = None, columns: int | None = None) -> "Figure":
    """Return a figure with panels beside each other, in rows of ``columns``; a legend stands in each that names other lines than the panel before it."""
    wide = min(columns or len(panels), len(panels))
    rows = -(-len(panels) // wide)
    with drawing():
        figure, grid = new_figure(rows, wide, width=4.5 * wide, height=3.8 * rows, squeeze=False)
        shown: set[str] = set()
        for axes in grid.flat[len(panels) :]:
            axes.remove()
        for axes, panel in zip(grid.flat[: len(panels)], panels, strict=True):
            draw_lines(axes, panel.lines, language=language, names=names)
            finish_axes(axes, title=panel.title, labels=panel.labels, language=language, scales=panel.scales)
            if panel.ticks:
                tick_at(axes, panel.ticks)
            if set(panel.lines) - shown:
                axes.legend(fontsize=9)
            shown = set(panel.lines)
    return figure


def draw_lines(
    axes: Any, lines: Mapping[str, Any], *, language: str, names: Mapping[str, Sentence] | None = None, theory: Mapping[str, Any] | None = None
) -> None:
    """Draw the lines of :func:`line_figure` into ``axes``; to be called inside ``drawing()``."""
    for number, (key, line) in enumerate(lines.items()):
        places, heights = places_and_heights(line)
        label = names[key].in_language(language) if names and key in names else key
        marker = "o" if len(heights) <= 12 else None
        axes.plot(places, heights, color=SERIES[number % len(SERIES)], linestyle=DASHES[number % len(DASHES)], marker=marker, markersize=4, label=label)
    for number, line in enumerate((theory or {}).values()):
        axes.plot(*places_and_heights(line), color=INK, linewidth=0.8, linestyle=(0, (1, 2)), label=None if number else THEORY.in_language(language), zorder=3)


def finish_axes(axes: Any, *, title: Sentence, labels: Sequence[Sentence], language: str, scales: tuple[str, str] = ("linear", "linear")) -> None:
    """Write title and labels, and set the scales; to be called inside ``drawing()``."""
    axes.set_title(title.in_language(language), wrap=True)
    axes.set_xlabel(labels[0].in_language(language))
    axes.set_ylabel(labels[1].in_language(language))
    axes.set_xscale(scales[0])
    axes.set_yscale(scales[1])
    axes.tick_params(which="both", colors=MUTED)


def tick_at(axes: Any, places: Sequence[float]) -> None:
    """Label the horizontal axis at ``places`` and nowhere else; to be called after :func:`finish_axes`."""
    axes.set_xticks(list(places), [f"{place:g}" for place in places])
    axes.set_xticks([], minor=True)


def places_and_heights(line: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the places 0, 1, 2 … for heights alone, and a pair as it is.

    Example:
        >>> [list(map(int, part)) for part in places_and_heights([5, 6])], [list(map(int, part)) for part in places_and_heights(([1, 3], [5, 6]))]
        ([[0, 1], [5, 6]], [[1, 3], [5, 6]])
    """
    if isinstance(line, tuple):
        return np.asarray(line[0], dtype=float), np.asarray(line[1], dtype=float)
    heights = np.asarray(line, dtype=float)
    return np.arange(len(heights), dtype=float), heights
