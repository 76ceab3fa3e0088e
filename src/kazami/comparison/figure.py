"""The figure of a comparison: the distance of two runs over the steps, on a logarithmic scale."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ..reports.figures import ACCENT, MUTED, PATH, drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .result import Comparison

WORDS = {
    "en": {
        "steps": "optimizer steps",
        "distance": "relative distance of the weights",
        "estimate": "estimated from sketches, ±2 standard errors",
        "exact": "exact",
        "fit": "exponential, {rate} per step",
        "parting": "first difference: step {step}",
        "jump": "jump: step {step}",
        "same": "equal to the bit at all {n} recorded steps",
        "rounding": "rounding of one weight",
    },
    "ja": {
        "steps": "オプティマイザのステップ数",
        "distance": "重みの相対距離",
        "estimate": "スケッチによる推定（±2 標準誤差）",
        "exact": "厳密値",
        "fit": "指数関数、1 ステップあたり {rate}",
        "parting": "最初の差異: ステップ {step}",
        "jump": "不連続: ステップ {step}",
        "same": "記録された {n} ステップすべてでビット単位で一致",
        "rounding": "重み 1 個の丸め誤差",
    },
}


def comparison_figure(comparison: "Comparison", *, language: str = "en") -> "Figure":
    """Return the distance over the steps with its fit, the parting and the finding as title.

    Args:
        comparison: What `compare` returned.
        language: ``"en"`` or ``"ja"``.
    """
    words = WORDS[language]
    figure, axes = new_figure(width=7.6, height=4.4)
    with drawing():
        title = comparison.sentence.in_language(language)
        axes.set_title("\n".join(textwrap.wrap(title, 88 if language == "en" else 46)), fontsize=9.5)
        axes.set_xlabel(words["steps"])
        axes.set_ylabel(words["distance"])
        apart = comparison.distances
        is_there = np.isfinite(apart.relative) & (apart.relative > 0)
        if is_there.any():
            _draw_curve(axes, comparison, is_there, words)
            axes.legend(loc="best", fontsize=8.5, frameon=True, facecolor="white", edgecolor="none", framealpha=0.85)
        else:
            axes.text(0.5, 0.5, words["same"].format(n=apart.steps.size), ha="center", va="center", transform=axes.transAxes, color=MUTED)
            axes.set_yticks([])
        if apart.steps.size:
            axes.set_xlim(0, max(int(apart.steps[-1]), 1))
    return figure


def _draw_curve(axes: Any, comparison: "Comparison", is_there: Any, words: dict[str, str]) -> None:
    from ..reports.numerals import short

    apart, growth, first = comparison.distances, comparison.growth, comparison.first
    steps, relative = apart.steps[is_there], apart.relative[is_there]
    spread = 2 * apart.errors[is_there] / apart.values[is_there] * relative
    axes.set_yscale("log")
    if not apart.is_exact:
        axes.fill_between(steps, np.maximum(relative - spread, relative / 20), relative + spread, color=ACCENT, alpha=0.22, linewidth=0)
    style = {"marker": "o", "markersize": 3.0} if steps.size < 30 else {}
    axes.plot(steps, relative, color=ACCENT, label=words["exact" if apart.is_exact else "estimate"], **style)
    axes.axhline(apart.rounding, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)), label=words["rounding"])
    if growth is not None and growth.model == "exponential":
        window = np.array([growth.first, growth.last], dtype=np.float64)
        line = np.exp(growth.level + growth.rate * (window - growth.first))
        axes.plot(window, line, color=PATH, linestyle=(0, (5, 2)), label=words["fit"].format(rate=short(growth.rate)))
    at = comparison.jump.step if comparison.jump is not None else first.step if first is not None else None
    if at is not None:
        key = "jump" if comparison.jump is not None else "parting"
        axes.axvline(at, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), label=words[key].format(step=at))
