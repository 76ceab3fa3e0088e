"""The onset of chaos as a picture: exponent and training time over the learning rate."""

import math
from typing import TYPE_CHECKING

import numpy as np

from ..reports.figures import ACCENT, DASHES, MUTED, PATH, drawing, new_figure
from ..reports.numerals import short

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
        for part in axes:
            if math.isfinite(found.interval[0]):
                part.axvspan(*found.interval, color=PATH, alpha=0.15, linewidth=0)
            if math.isfinite(found.onset):
                part.axvline(found.onset, color=PATH, linestyle=DASHES[1])
        axes[0].set_title(_title(found, is_english))
    return figure


def _title(found: "OnsetOfChaos", is_english: bool) -> str:
    onset = short(found.onset) if math.isfinite(found.onset) else "–"
    fastest = short(found.fastest) if math.isfinite(found.fastest) else "–"
    return f"Chaos begins at {onset}, training is fastest at {fastest}" if is_english else f"カオスは {onset} から、最速の学習率は {fastest}"
