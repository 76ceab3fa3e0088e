"""The onset of chaos as a picture: exponent and training time over the learning rate."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..reports.figures import ACCENT, DASHES, INK, MUTED, PATH, drawing, new_figure
from ..reports.numerals import short
from .onset_proof import NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .onset import OnsetOfChaos


def onset_figure(found: "OnsetOfChaos", language: str) -> "Figure":
    """Draw the exponent of every initialisation and their mean above, the median time to the acceptable result below."""
    rates = np.array([row["learning_rate"] for row in found.table])
    figure, axes = new_figure(2, 1, width=6.8, height=5.2, sharex=True)
    is_english = language == "en"
    with drawing():
        axes[0].semilogx(rates, found.exponents, color=MUTED, linewidth=0.6, alpha=0.6)
        axes[0].semilogx(rates, [row["exponent"] for row in found.table], color=ACCENT)
        axes[0].axhline(0.0, color=MUTED, linewidth=0.8)
        axes[0].axhline(found.threshold, color=MUTED, linewidth=0.8, linestyle=DASHES[2])
        axes[0].set_ylabel("exponent (1/step)" if is_english else "指数（1/ステップ）")
        axes[1].semilogx(rates, [row["time"] for row in found.table], color=ACCENT, marker="o", markersize=3)
        axes[1].set_ylabel("steps to reach it" if is_english else "到達までのステップ")
        axes[1].set_xlabel("learning rate" if is_english else "学習率")
        _rivals(axes[1], found, is_english)
        for part in axes:
            if math.isfinite(found.interval[0]):
                part.axvspan(*found.interval, color=PATH, alpha=0.15, linewidth=0)
            if math.isfinite(found.onset):
                part.axvline(found.onset, color=PATH, linestyle=DASHES[1])
        axes[0].set_title(_title(found, is_english))
    return figure


def _rivals(axes: Any, found: "OnsetOfChaos", is_english: bool) -> None:
    """Mark what each way to choose a rate took, trained from fresh seeds; an arrow at the top where it never got there."""
    marks = [("kazami", found.fastest, found.proof.get(found.fastest, math.inf), "o")]
    marks += [(NAMES[rival.name][0 if is_english else 1], rival.learning_rate, rival.time, mark) for rival, mark in zip(found.rivals, "sD", strict=False)]
    known = [row["time"] for row in found.table if math.isfinite(row["time"])]
    top = max(known, default=1.0)
    for (label, rate, time, mark), colour in zip(marks, (PATH, INK, MUTED), strict=False):
        if math.isfinite(rate):
            axes.plot([rate], [min(time, 1.05 * top)], linestyle="none", marker=mark if math.isfinite(time) else "^", color=colour, label=label, zorder=4)
    if any(math.isfinite(rate) for _, rate, _, _ in marks):
        axes.legend(fontsize=8, title="from fresh seeds" if is_english else "新しいシードで", title_fontsize=8)


def _title(found: "OnsetOfChaos", is_english: bool) -> str:
    onset = short(found.onset) if math.isfinite(found.onset) else "–"
    fastest = short(found.fastest) if math.isfinite(found.fastest) else "–"
    return f"Chaos begins at {onset}, training is fastest at {fastest}" if is_english else f"カオスは {onset} から、最速の学習率は {fastest}"
