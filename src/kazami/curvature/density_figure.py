"""The figure of a spectral density: how many eigenvalues lie where, against the threshold, with the finding as its title."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..records import Sentence
from ..records.estimate import Estimate
from ..reports.figures import ACCENT, DASHES, INK, MUTED, PATH, drawing, new_figure
from ..reports.numerals import short
from .density import SpectralDensity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLACES = 1200
UNITS_JA = {"loss/weight²": "損失/重み²", "loss/rescaled weight²": "損失/尺度を換えた重み²"}
WORDS = {
    "en": {
        "x": "eigenvalue λ ({unit})",
        "y": "density (1/λ)",
        "limit": "threshold {value}",
        "error": "± 1 standard error",
        "top": "largest found",
    },
    "ja": {"x": "固有値 λ（{unit}）", "y": "固有値の密度（1/λ）", "limit": "安定限界 {value}", "error": "± 1 標準誤差", "top": "個別に求めた固有値"},
}


def finding(sharpness: Estimate, flat: Estimate) -> Sentence:
    """Return in one sentence how many directions are flat, and where the largest eigenvalue stands against the threshold."""
    top, limit = float(np.max(sharpness.value)), float(sharpness.threshold)
    n, cut = flat.details["parameters"], short(flat.details["flat_threshold"])
    share = short(100.0 * flat.details["fraction"]) + (f" ± {short(100.0 * float(flat.uncertainty) / n)}" if flat.uncertainty else "")
    english = f"{share} % of {n} directions are flat (|λ| ≤ {cut})"
    japanese = f"{n} 方向のうち {share} % が平坦（|λ| ≤ {cut}）"
    if not math.isfinite(limit) or limit <= 0.0:
        return Sentence(f"{english}; the largest λ is {short(top)}", f"{japanese}、最大の λ は {short(top)}")
    ratio = short(top / limit)
    side, side_ja = ("above", "超え") if top > limit else ("below", "未満")
    return Sentence(
        f"{english}; the largest λ, {short(top)}, is {side} the threshold ({ratio} of it)",
        f"{japanese}、最大の λ は {short(top)} で安定限界{side_ja}（その {ratio} 倍）",
    )


def density_figure(density: SpectralDensity, sharpness: Estimate, flat: Estimate, *, language: str = "en") -> "Figure":
    """Return the figure.

    Args:
        density: Of the matrix that ``sharpness`` speaks of.
        sharpness: What `kazami.sharpness` returned.
        flat: What :func:`~kazami.curvature.flatness.flat_directions` returned.
        language: ``"en"`` or ``"ja"``.
    """
    words = WORDS[language]
    low, high = density.ends
    low, high = min(low, float(np.min(sharpness.value))), max(high, float(np.max(sharpness.value)))
    margin = 0.05 * (high - low) or 1.0
    places = np.linspace(low - margin, high + margin, PLACES)
    width = max((high - low) / 150.0, density.resolution / 2.0 if not density.is_whole else 0.0)  # a peak is to be some pixels wide
    heights, errors = density.heights(places, width)
    with drawing():
        figure, axes = new_figure(width=7.2, height=4.0)
        axes.plot(places, heights, color=ACCENT)
        if not density.is_whole:
            axes.fill_between(places, np.maximum(heights - errors, 0.0), heights + errors, color=ACCENT, alpha=0.25, linewidth=0.0, label=words["error"])
        axes.set_yscale("log")
        single = 1.0 / (density.n_entries * width * math.sqrt(2.0 * math.pi))  # what one eigenvalue alone reaches
        axes.set_ylim(single / 10.0, 3.0 * float(heights.max()))
        axes.plot(sharpness.value, np.full(len(sharpness.value), single / 6.0), linestyle="none", marker="^", color=PATH, label=words["top"])
        _draw_limit(axes, sharpness, high + margin, words)
        axes.set_xlabel(words["x"].format(unit=sharpness.unit if language == "en" else UNITS_JA.get(sharpness.unit, sharpness.unit)))
        axes.set_ylabel(words["y"])
        axes.set_title(finding(sharpness, flat).in_language(language), wrap=True, color=INK)
        axes.tick_params(which="both", colors=MUTED)
        axes.legend(fontsize=9, loc="upper right", frameon=True, facecolor="white", edgecolor="none", framealpha=0.9)
    return figure


def _draw_limit(axes: Any, sharpness: Estimate, right: float, words: dict[str, str]) -> None:
    """Draw the threshold where it is not so far off that the spectrum would shrink to a line; else only the legend tells it."""
    limit = float(sharpness.threshold)
    if not math.isfinite(limit):
        return
    label = words["limit"].format(value=short(limit))
    if limit <= 3.0 * right:
        axes.axvline(limit, color=INK, linestyle=DASHES[1], linewidth=1.2, label=label)
    else:
        axes.plot([], [], color=INK, linestyle=DASHES[1], linewidth=1.2, label=f"{label} →")
