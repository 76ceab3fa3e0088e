"""A bifurcation diagram as a picture: density above, the exponent below."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..reports.figures import ACCENT, INK, MUTED, PATH, drawing, new_figure
from ..reports.numerals import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .bifurcation import Bifurcation

ROWS, MOST_MARKED = 480, 12
FAINTEST = 0.25  # ink of a cell with one point


def bifurcation_figure(found: "Bifurcation", language: str) -> "Figure":
    """Draw how often each value of the observable occurs, and the largest exponent on the same axis."""
    from .bifurcation import spaced

    figure, (upper, lower) = new_figure(2, 1, width=7.6, height=5.6, sharex=True, height_ratios=(3, 1))
    values = found.values
    with drawing():
        if len(values) > 1:
            _density(upper, found)
        upper.set_ylabel(found.observable + (" (last steps)" if language == "en" else "（最後のステップ）"))
        upper.set_title(_title(found, language))
        exponents = found.exponents
        lower.axhline(0.0, color=MUTED, linewidth=0.8)
        lower.plot(values, exponents, color=ACCENT, linewidth=0.9)
        lower.fill_between(values, 0.0, exponents, where=exponents > 0.0, color=PATH, alpha=0.35, linewidth=0)
        finite = exponents[np.isfinite(exponents)]
        if finite.size:
            lower.set_ylim(max(float(finite.min()), -2.0 * max(float(finite.max()), 0.3)) - 0.05, float(finite.max()) + 0.05)
        lower.set_ylabel("exponent (1/step)" if language == "en" else "指数（1/ステップ）")
        lower.set_xlabel(found.parameter.replace("_", " "))
        for point in found.points()[:MOST_MARKED]:
            lower.axvline(point.estimate, color=INK, linewidth=0.5, alpha=0.5)
        is_log = len(values) > 1 and np.allclose(spaced(values[0], values[-1], 3)[1] ** 2, values[0] * values[-1], rtol=1e-6)
        if is_log and values[0] > 0.0 and values[-1] / values[0] > 30.0:
            lower.set_xscale("log")
    return figure


def _density(axes: Any, found: "Bifurcation") -> None:
    """Draw cells whose ink grows with the logarithm of their count, each as wide as its value's neighbourhood."""
    counts, (low, high) = found.density(ROWS)
    columns = counts.max(axis=0, keepdims=True)
    share = np.log1p(counts) / np.log1p(np.where(columns > 0, columns, 1.0))
    ink = np.where(counts > 0, FAINTEST + (1.0 - FAINTEST) * share, np.nan)
    middles = 0.5 * (found.values[1:] + found.values[:-1])
    lines = np.concatenate([[found.values[0]], middles, [found.values[-1]]])
    from matplotlib.colors import LinearSegmentedColormap

    scale = LinearSegmentedColormap.from_list("kazami", ["#ffffff", ACCENT, INK])
    rows = np.linspace(low, high, ROWS + 1)
    rows = 10.0**rows if found.is_logarithmic else rows
    if found.is_logarithmic:
        axes.set_yscale("log")
    axes.pcolormesh(lines, rows, ink, cmap=scale, vmin=0.0, vmax=1.0, rasterized=True)
    axes.set_ylim(rows[0], rows[-1])
    axes.grid(visible=False)


def _title(found: "Bifurcation", language: str) -> str:
    points = found.points()
    name = found.parameter.replace("_", " ")
    place = 0 if language == "en" else 1
    if not points:
        return (f"One kind of motion ({found.letters()[0]}) at every {name}", f"どの {name} でも同じ運動（{found.letters()[0]}）")[place]
    first = points[0]
    low, high = (f"{end:.6g}" for end in first.interval)
    chaotic = [point for point in points if point.kind == "chaos"]
    more = f"; {chaotic[0].sentence()} at {short(chaotic[0].estimate)}" if chaotic and chaotic[0] is not first else ""
    if place == 0:
        sentence = first.sentence()
        return f"{sentence[0].upper()}{sentence[1:]} between {name} {low} and {high}{more}"
    more = f"、{chaotic[0].sentence('ja')}のは {short(chaotic[0].estimate)}" if more else ""
    return f"{name} {low}〜{high} で{first.sentence('ja')}{more}"
