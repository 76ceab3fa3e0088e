"""Colours of a map of trainability, and the map as a figure."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..reports.figures import ACCENT, INK, MUTED, PATH, drawing, new_figure
from ..reports.numerals import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .result import TrainabilityMap

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

GAP = 0.2  # of the scale on both sides of zero: the edge is a jump in colour
PALE = 0.35  # of white in what was filled in
QUANTILES = 257
STOPS = ((-1.0, "#06222e"), (-0.6, ACCENT), (-GAP, "#a9d3e2"), (0.0, "#ffffff"), (GAP, "#f6cbb5"), (0.6, PATH), (1.0, "#54170a"))
MISSING = MUTED

AXES = {
    "lr0": ("learning rate of the first layer", "第 1 層の学習率"),
    "lr1": ("learning rate of the output layer", "出力層の学習率"),
    "lr": ("learning rate", "学習率"),
    "offset": ("offset of the first layer's weights", "第 1 層の重みのずらし"),
}


def scale_of(values: Floats) -> tuple[Floats, Floats]:
    """Return quantiles of a map's values, of those below zero and of those above: the scale by which :func:`colours` spreads its colours."""
    known = values[np.isfinite(values)]
    shares = np.linspace(0.0, 1.0, QUANTILES)
    below, above = known[known < 0.0], known[known >= 0.0]
    return np.quantile(below, shares) if len(below) else np.zeros(0), np.quantile(above, shares) if len(above) else np.zeros(0)


def levels(values: Floats, scale: tuple[Floats, Floats]) -> Floats:
    """Return values as ranks from -1 (converged fastest) to 1 (failed fastest), with a gap around zero; NaN stays.

    A converged pixel's value is minus the sum of its losses: the nearer to zero, the faster. A failed one's is the sum of their inverses: the same.
    """
    found = np.full(values.shape, np.nan)
    for quantiles, inside, sign in ((scale[0], values < 0.0, -1.0), (scale[1], values >= 0.0, 1.0)):
        if len(quantiles) and inside.any():
            share = np.interp(values[inside], quantiles, np.linspace(0.0, 1.0, len(quantiles)))
            speed = share if sign < 0.0 else 1.0 - share
            found[inside] = sign * (GAP + (1.0 - GAP) * speed)
    return found


def colours(values: Floats, computed: NDArray[np.bool_], scale: tuple[Floats, Floats]) -> Bytes:
    """Return the pixels of a map as red, green and blue, shape ``(rows, columns, 3)``; paler where most pixels around were filled in."""
    places = np.array([place for place, _ in STOPS])
    paint = np.array([_rgb(colour) for _, colour in STOPS])
    ranks = levels(values, scale)
    found = np.stack([np.interp(np.nan_to_num(ranks), places, paint[:, channel]) for channel in range(3)], axis=-1)
    filled = np.zeros(computed.shape, dtype=bool) if computed.all() else ndimage.uniform_filter(computed.astype(float), 3) < 0.5
    found[filled] = found[filled] * (1.0 - PALE) + 255.0 * PALE
    found[np.isnan(ranks)] = _rgb(MISSING)
    return np.asarray(np.rint(found), dtype=np.uint8)


def map_figure(found: "TrainabilityMap", language: str) -> "Figure":
    """Draw a map with its axes; the title says what share trains, and how rough the edge is."""
    place = 0 if language == "en" else 1
    figure, axes = new_figure(width=6.4, height=5.9)
    window = found.window
    with drawing():
        picture = colours(found.values, found.computed, scale_of(found.values))
        ends = [_position(end, is_log) for span, is_log in zip((window.x, window.y), window.is_logarithmic, strict=True) for end in span]
        axes.imshow(picture, origin="lower", extent=ends, aspect="auto", interpolation="nearest" if max(found.values.shape) < 1200 else "antialiased")
        axes.grid(visible=False)
        for name, axis, is_log, span in zip(window.axes, (axes.xaxis, axes.yaxis), window.is_logarithmic, (window.x, window.y), strict=True):
            _scale(axis, is_log, span)
            axis.set_label_text(AXES[name][place])
        axes.set_title(_title(found, place))
        axes.text(0.0, -0.13, _legend(found, place), transform=axes.transAxes, fontsize=8.0, color=INK, va="top")
    return figure


def _title(found: "TrainabilityMap", place: int) -> str:
    share = f"{100 * found.converged_share:.0f} %" if math.isfinite(found.converged_share) else "–"
    edge = found.dimension() if min(found.values.shape) > 3 else None
    if edge is None or not math.isfinite(edge.value):
        return f"{share} of the pixels train" if place == 0 else f"{share} が学習できる"
    low, high = edge.fit_range
    rough = f"{edge.value:.2f} ± {edge.uncertainty:.2f}"
    if place == 0:
        return f"{share} of the pixels train; the edge has box dimension {rough} ({low}–{high} px)"
    return f"{share} が学習でき、境界のボックス次元は {rough}（{low}–{high} px）"


def _legend(found: "TrainabilityMap", place: int) -> str:
    facts = found.facts
    first = f"{facts['condition']}, {facts['width']} × {facts['width']} → 1, {facts['points']} points, {facts['steps']} steps, {facts['dtype']}"
    words = ("blue: converges; red: does not; darker: faster", "青: 収束、赤: 収束しない、濃いほど速い")[place]
    if not found.computed.all():
        share = short(100 * float(1 - found.computed.mean()))
        bound = short(100 * found.miss_bound)
        words += (f"\npaler: filled in ({share} % of the pixels; wrong at most {bound} %)", f"\n淡い色: 補間（画素の {share} %、誤りは多くて {bound} %）")[
            place
        ]
    return f"{first}\n{words}"


def _position(end: float, is_log: bool) -> float:
    return math.log10(end) if is_log else end


def _scale(axis: Any, is_log: bool, span: tuple[float, float]) -> None:
    """Write the settings themselves at the ticks; in a deep zoom, where they hardly differ, as many digits as tell them apart."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    decades = math.log10(span[1] / span[0]) if is_log else 0.0
    if decades >= 3.0:
        axis.set_major_locator(MaxNLocator(integer=True))
        axis.set_major_formatter(FuncFormatter(lambda place, _: f"$10^{{{place:.0f}}}$"))
        return
    digits = max(3, 2 - math.floor(math.log10(abs(span[1] - span[0]) / max(abs(span[0]), abs(span[1])))))
    axis.set_major_locator(MaxNLocator(4 if digits < 7 else 2))
    axis.set_major_formatter(FuncFormatter(lambda place, _: f"{10**place if is_log else place:.{digits}g}"))


def _rgb(colour: str) -> Floats:
    return np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)], dtype=float)
