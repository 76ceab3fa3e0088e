"""Surfaces as pictures: contours from above, or in 3-D with the contours on the floor; the path with its start and end; what is not finite is hatched."""

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..records import Sentence
from ..reports.figures import INK, MUTED, PATH, drawing
from ..reports.numerals import short
from ..reports.palette import NOT_FINITE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .landscape import Surface

UNBROKEN = "\u00a0=\u00a0"  # a line should not end at an equals sign
LEVELS = 14
LOG_FROM = 30.0  # losses whose largest is this many times the smallest are drawn on a logarithmic scale
CLIP = 1e3  # … and 3-D heights are cut where they would hide everything else: at this multiple of the median above the lowest
SHADES = ("#f4f8fa", "#c9dde6", "#8fb8ca", "#4d8aa6", "#1f5c7c", "#10304a")  # one hue, pale valleys; not for pale lines
LOSS = Sentence("loss", "損失")
LOSS_LOG = Sentence("loss (logarithmic)", "損失（対数）")
START, END = Sentence("start", "始点"), Sentence("end", "終点")
OFF = Sentence(", off this plane", "、この面の外")
MOSTLY_OFF = 0.5  # below this share of its squared distance a path is mostly not on the plane, and the colour below it says nothing of its loss
NONE = Sentence("not finite", "有限でない")


def draw_contour(surface: "Surface", language: str) -> "Figure":
    """Return the surface from above."""
    figure, axes = _canvas(surface, language, 6.6, 5.4)
    with drawing():
        heights, levels, norm = levels_of(surface.values)
        if levels is not None:
            filled = axes.contourf(surface.a, surface.b, np.ma.masked_invalid(heights), levels=levels, cmap=shades(), norm=norm, extend=_beyond(levels))
            axes.contour(surface.a, surface.b, np.ma.masked_invalid(heights), levels=levels, colors=MUTED, linewidths=0.5)
            bar = figure.colorbar(filled, ax=axes, label=(LOSS_LOG if type(norm).__name__ == "LogNorm" else LOSS).in_language(language), shrink=0.9)
            bar.set_ticks(levels[:: max(1, len(levels) // 6)].tolist(), labels=[short(float(level)) for level in levels[:: max(1, len(levels) // 6)]])
            bar.minorticks_off()
        _hatch(axes, surface, language)
        _path(axes, surface, language)
        axes.grid(False)
        axes.set(xlim=(surface.a[0], surface.a[-1]), ylim=(surface.b[0], surface.b[-1]))
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper left", fontsize=8, frameon=True, framealpha=0.85)
    return figure


def draw_relief(surface: "Surface", language: str) -> "Figure":
    """Return the surface in 3-D, its contours on the floor."""
    figure, axes = _canvas(surface, language, 7.4, 6.2, subplot_kw={"projection": "3d"})
    with drawing():
        heights, levels, norm = levels_of(surface.values)
        is_log = norm is not None and type(norm).__name__ == "LogNorm"
        tall = np.log10(heights) if is_log else heights
        if levels is not None:
            marks = np.log10(levels) if is_log else levels
            low, high = float(np.nanmin(tall)), float(min(np.nanmax(tall), marks[-1]))
            floor = low - 0.45 * max(high - low, 1e-12)
            columns, rows = np.meshgrid(surface.a, surface.b)
            shown = np.ma.masked_invalid(np.clip(tall, None, high))
            axes.plot_surface(columns, rows, shown, cmap=shades(), vmin=low, vmax=high, linewidth=0.15, edgecolor=MUTED, rstride=1, cstride=1, alpha=0.93)
            axes.contourf(columns, rows, shown, levels=np.linspace(low, high, LEVELS) if high > low else None, zdir="z", offset=floor, cmap=shades(), alpha=0.9)
            axes.set_zlim(floor, high)
            ticks = np.linspace(low, high, 5)
            axes.set_zticks(ticks, labels=[short(float(10**tick if is_log else tick)) for tick in ticks])
            _path(axes, surface, language, height=floor)
        axes.tick_params(labelsize=8)
        axes.xaxis.labelpad = axes.yaxis.labelpad = 9
        axes.set_zlabel((LOSS_LOG if is_log else LOSS).in_language(language), labelpad=10)
        axes.view_init(elev=28, azim=-58)
        axes.set_box_aspect((1, 1, 0.75), zoom=0.92)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper left", fontsize=8)
    return figure


DRAWINGS = {"contour": draw_contour, "3d": draw_relief}


def _canvas(surface: "Surface", language: str, width: float, height: float, **options: Any) -> "tuple[Figure, Any]":
    from ..reports.figures import new_figure

    figure, axes = new_figure(width=width, height=height, **options)
    with drawing():
        wide = 46 if language == "ja" else 82
        figure.suptitle(
            "\n".join(textwrap.wrap(surface.finding.in_language(language).replace(" = ", UNBROKEN), wide)), fontsize=11, x=0.02, ha="left", color=INK
        )
        hidden = surface.hidden.in_language(language)
        if not surface.is_complete:
            hidden += Sentence(
                f" Interrupted: {surface.n_computed} of {len(surface.b)} rows.", f"中断: {len(surface.b)} 行中 {surface.n_computed} 行。"
            ).in_language(language)
        figure.supxlabel("\n".join(textwrap.wrap(hidden, int(wide * 1.25))), fontsize=8, color=MUTED)
        axes.set_xlabel(surface.labels[0].in_language(language))
        axes.set_ylabel(surface.labels[1].in_language(language))
    return figure, axes


def levels_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, Any]:
    """Return the values with what is not finite as NaN, the levels to draw, ``None`` where there is nothing, and their scale."""
    from matplotlib.colors import LogNorm, Normalize

    heights = np.where(np.isfinite(values), values, np.nan)
    if not np.isfinite(heights).any():
        return heights, None, None
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    if low > 0.0 and high / low > LOG_FROM:
        return heights, np.geomspace(low, high, LEVELS), LogNorm(low, high)
    middle = float(np.nanmedian(heights))
    if low <= 0.0 and high - low > CLIP * max(middle - low, 1e-300):
        high = low + 10.0 * (middle - low) if middle > low else high
    if high <= low:
        high = low + max(abs(low), 1.0) * 1e-6
    # Levels grow with the square, so that valleys are resolved as well as slopes.
    return heights, low + (high - low) * np.linspace(0.0, 1.0, LEVELS) ** 2, Normalize(low, high)


def _beyond(levels: np.ndarray) -> str:
    """Return whether what lies beyond the levels is coloured, too; matplotlib cannot do so for numbers near the end of its own."""
    return "both" if float(np.abs(levels).max()) < 1e200 else "neither"


def shades() -> Any:
    """Return the colours of heights, pale valleys and dark hills."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("kazami-surface", SHADES)


def _hatch(axes: Any, surface: "Surface", language: str) -> None:
    """Hatch what is not finite; what was never computed stays white."""
    lost = ~np.isfinite(surface.values)
    lost[surface.n_computed :] = False
    if not lost.any():
        return
    from matplotlib.patches import Rectangle

    columns, rows = _edges(surface.a), _edges(surface.b)
    for index, (row, column) in enumerate(np.argwhere(lost).tolist()):
        place, label = (columns[column], rows[row]), NONE.in_language(language) if index == 0 else None
        width, height = columns[column + 1] - place[0], rows[row + 1] - place[1]
        axes.add_patch(Rectangle(place, width, height, facecolor="white", edgecolor=NOT_FINITE, hatch="////", linewidth=0.0, zorder=2, label=label))


def _edges(values: np.ndarray) -> np.ndarray:
    step = values[1] - values[0]
    return np.append(values - step / 2, values[-1] + step / 2)


def _path(axes: Any, surface: "Surface", language: str, height: float | None = None) -> None:
    """Draw the path, white below and red above, with its start and end; and the points that the plane was laid through."""
    places = [] if height is None else [height]

    def at(points: np.ndarray) -> list[Any]:
        return [points[:, 0], points[:, 1], *(np.full(len(points), level) for level in places)]

    over = {"zorder": 10}
    path = surface.path[np.isfinite(surface.path).all(1)] if len(surface.path) else surface.path
    if len(path):
        axes.plot(*at(path), color="white", linewidth=3.2, solid_capstyle="round", **over)
        axes.plot(*at(path), color=PATH, linewidth=1.6, marker="o", markersize=1.8 if len(path) < 400 else 0, **over)
        axes.plot(*at(path[:1]), color=PATH, marker="o", markersize=8, markerfacecolor="white", linestyle="", label=_named(START, surface, 0, language), **over)
        axes.plot(
            *at(path[-1:]), color=PATH, marker="*", markersize=13, markeredgecolor="white", linestyle="", label=_named(END, surface, -1, language), **over
        )
    if len(surface.points):
        axes.plot(*at(surface.points), color=PATH, marker="D", markersize=6, markeredgecolor="white", linestyle="", **over)
    elif surface.plane is not None and not len(path):
        axes.plot(*at(np.zeros((1, 2))), color=PATH, marker="+", markersize=10, markeredgewidth=2, linestyle="", **over)


def _named(what: Sentence, surface: "Surface", index: int, language: str) -> str:
    name = what.in_language(language)
    loss = float(surface.path_losses[index]) if len(surface.path_losses) else math.nan
    if math.isnan(loss):
        return name
    off = OFF.in_language(language) if surface.path_share < MOSTLY_OFF else ""
    return f"{name} ({LOSS.in_language(language)} {short(loss)}{off})"
