"""The overshooting step as a picture: the line it moves along, and three places on it."""

import math
import textwrap
from typing import TYPE_CHECKING

from ..records import Sentence
from ..reports.figures import ACCENT, INK, MUTED, PATH, drawing, new_figure
from ..reports.numerals import short
from ..reports.palette import NOT_FINITE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .overshooting import Overshoot

WAS, SHOULD, WENT = Sentence("where it was", "元の位置"), Sentence("where it should have gone", "行くべきだった所"), Sentence("where it went", "行った所")
PARABOLA = Sentence("the parabola of its curvature", "曲率から予想される放物線")
UNBROKEN = "\u00a0=\u00a0"  # a line should not end at an equals sign
ROOM = 1.6  # heights above this many times the highest of the three places are cut


def draw_overshoot(step: "Overshoot", language: str) -> "Figure":
    """Return the picture of one step."""
    figure, axes = new_figure(width=7.0, height=4.2)
    with drawing():
        wide = 44 if language == "ja" else 84
        figure.suptitle("\n".join(textwrap.wrap(step.finding.in_language(language).replace(" = ", UNBROKEN), wide)), fontsize=11, x=0.02, ha="left", color=INK)
        axes.plot(step.rates, step.losses, color=ACCENT, label=Sentence("loss along the gradient", "勾配方向の損失").in_language(language))
        believed = step.loss_before - step.rates * step.gradient_norm**2 + step.rates**2 * step.curvature * step.gradient_norm**2 / 2
        axes.plot(step.rates, believed, color=MUTED, linestyle="--", linewidth=1.1, label=PARABOLA.in_language(language))
        places = [
            (WAS, 0.0, step.loss_before, "o", INK),
            (SHOULD, step.best, step.loss_best, "*", "#009e73"),
            (WENT, step.learning_rate, step.loss_after, "X", PATH),
        ]
        heights = [height for _, rate, height, _, _ in places if math.isfinite(height) and rate <= step.rates[-1]]
        low, high = min(heights), max(heights)
        room = (ROOM - 1) * max(high - low, 1e-12)
        for name, rate, height, marker, colour in places:
            if math.isfinite(height) and rate <= step.rates[-1]:
                label = f"{name.in_language(language)}: {short(height)}"
                axes.plot([rate], [height], marker=marker, markersize=11, color=colour, markeredgecolor="white", linestyle="", label=label, zorder=5)
        if not math.isfinite(step.loss_after):
            axes.axvline(step.learning_rate, color=NOT_FINITE, linestyle=":", label=f"{WENT.in_language(language)}: {short(step.loss_after)}")
        if math.isfinite(step.loss_after):
            jump = {"arrowstyle": "->", "color": PATH, "linewidth": 1.4, "connectionstyle": "arc3,rad=-0.25"}
            axes.annotate("", (step.learning_rate, step.loss_after), (0.0, step.loss_before), arrowprops=jump)
        axes.set(ylim=(low - 0.25 * room - 0.02 * abs(high), high + room), xlim=(-0.03 * step.rates[-1], step.rates[-1]))
        axes.set_xlabel(Sentence("η: how far along the negative gradient", "η: 負の勾配方向に進む距離").in_language(language))
        axes.set_ylabel(Sentence("loss", "損失").in_language(language))
        axes.legend(fontsize=8, loc="best")
    return figure
