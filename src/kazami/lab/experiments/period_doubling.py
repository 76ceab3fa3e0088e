"""Period doubling: one weight, one learning rate, and the whole road from rest to chaos."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...dynamics import max_lyapunov
from ...maps import CubicDescent, TrainingMap
from ...reports.figures import ACCENT, INK, drawing, new_figure
from ..doublings import BANDS, CATAPULT, CHEBYSHEV, DOUBLINGS, accumulation, attractor, doublings, square_training
from ..line_figure import finish_axes
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EXACT, MEASURED = "derivation after Chen et al. 2023 (arXiv 2310.01687), exact", "published bifurcation points, ± 2e-5"
PUBLISHED = (1.28803, 1.29923, 1.30163)
STARTS = 200


class PeriodDoubling(AbstractExperiment):
    r"""Trains :math:`(w^2 - y)^2 / 4` by gradient descent at many learning rates, which is the map :math:`x \leftarrow (1+a)x - ax^3` with :math:`a = \eta y`.

    Limits:
        Where an attractor is chaotic the exponent is that of one orbit; in narrow periodic windows it is negative again.

    References:
        Chen, Balasubramanian, Ghosal and Agrawalla 2023 (arXiv 2310.01687).
    """

    name: ClassVar = "period-doubling"
    title: ClassVar = both("Period doubling of gradient descent", "勾配降下法の周期倍化")
    question: ClassVar = both(
        "Through which stations does a growing learning rate lead gradient descent to chaos?", "学習率を上げると、勾配降下法はどの道筋でカオスに至るか。"
    )
    claim: ClassVar = both(
        "A high learning rate makes training periodic, then chaotic, then divergent.", "学習率を上げると、学習は周期的、カオス的、そして発散的になる。"
    )
    citation: ClassVar = "Chen et al. 2023 (arXiv 2310.01687)"
    seconds: ClassVar = (8.0, 30.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """The doublings, the catapult's border, and a learning rate per row."""
        number = paired_seeds(seed, 1)[0]
        rates = [*np.linspace(0.6, 1.999, 120 if quick else 500), CHEBYSHEV - 1e-9]
        rows: list[Row] = [{"part": "doublings"}, {"part": "catapult"}, *({"part": "training", "a": a} for a in (0.5001, 0.75, 0.95, 1.1))]
        return [{"seed": number, **row} for row in (*rows, *({"part": "rate", "a": float(a)} for a in rates))]

    def measure(self, condition: Row) -> Row:
        """Find the doublings, bisect the catapult's border, follow the torch training, or look at the attractor of one learning rate."""
        if condition["part"] == "doublings":
            found = doublings(5)
            return {"found": found, "accumulation": accumulation(found)}
        if condition["part"] == "catapult":
            return {"border": _border()}
        a = condition["a"]
        if condition["part"] == "training":
            return {"exponent": float(max_lyapunov(TrainingMap(square_training(a)), steps=200, transient=600))}
        weights = attractor(a, keep=80, transient=2000)
        return {"weights": np.abs(weights), "exponent": float(max_lyapunov(CubicDescent(a=a), steps=20_000, transient=1000))}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """The stations, and the exponents that have a formula."""
        first = rows.where(part="doublings")
        points = [*first[0]["found"], first[0]["accumulation"]] if len(first) else [math.nan] * 6
        names = [*(f"doubling {2**place} → {2 ** (place + 1)}" for place in range(5)), "accumulation of the doublings"]
        ja = [*(f"倍化 {2**place} → {2 ** (place + 1)}" for place in range(5)), "倍化の集積点"]
        expected = [*((exact, 1e-6, EXACT) for exact in DOUBLINGS), *((number, 2e-5, MEASURED) for number in (*PUBLISHED, 1.30228))]
        found = [Check(names[i], points[i], number, slack, "within", "", source, ja[i]) for i, (number, slack, source) in enumerate(expected)]
        border, top = rows.where(part="catapult").mean("border"), rows.where(a=CHEBYSHEV - 1e-9).mean("exponent")
        found.append(Check("largest a without a rising loss", border, CATAPULT, 1e-4, "within", "", EXACT, "損失が上がらない最大の a"))
        found.append(Check("exponent at a = 2", top, math.log(3.0), 0.02, "within", "1/step", EXACT, "a = 2 での指数"))
        for a in (0.75, 0.95):
            value = rows.where(part="training", a=a).mean("exponent")
            found.append(
                Check(
                    f"torch training at a = {a:g}: exponent", value, math.log(abs(1 - 2 * a)), 1e-6, "within", "1/step", EXACT, f"torch の学習、a = {a:g}: 指数"
                )
            )
        return found

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Exponents of torch trainings."""
        cells = [(row["a"], row["exponent"]) for row in rows.where(part="training")]
        return [Table.of(both("The torch training", "torch による学習"), [("a = ηy", "a = ηy"), ("exponent, 1/step", "指数、1/ステップ")], cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The stations and the share of chaos beyond them."""
        row = rows.where(part="doublings")[0]
        beyond = [one["exponent"] > 0.01 for one in rows.where(part="rate") if one["a"] > row["accumulation"]]
        share, first, end = (f"{number:.5f}" for number in (np.mean(beyond), row["found"][1], row["accumulation"]))
        return both(
            f"Gradient descent at a = ηy doubles its period at 1, {first} …; beyond {end}, {float(share):.0%} of the learning rates up to 2 are chaotic.",
            f"勾配降下法は a = ηy = 1、{first}、… で周期を倍化し、{end} を超えるとカオスになります（そこから 2 までの学習率の {float(share):.0%}）。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """The attractor's weights and the exponent over the learning rate."""
        here = rows.where(part="rate")
        with drawing():
            figure, (above, below) = new_figure(2, 1, width=7.5, height=6.5, sharex=True)
            for row in here:
                above.plot([row["a"]] * len(row["weights"]), row["weights"], ",", color=INK)
            below.plot(here.values("a"), np.maximum(here.values("exponent"), -2.0), color=ACCENT, linewidth=1.0)
            for place in (*DOUBLINGS, BANDS):
                below.axvline(place, color=INK, linewidth=0.6, linestyle=":")
            title = both("The period doubles at 1 and √5 - 1; chaos begins at 1.302", "周期は 1 と √5 - 1 で倍化し、1.302 からカオス")
            finish_axes(above, title=title, labels=(both("a = ηy", "a = ηy"), both("|w| / √y", "|w| / √y")), language=language)
            labels = both("a = ηy", "a = ηy"), both("exponent, 1/step", "指数、1/ステップ")
            finish_axes(below, title=both("Positive exponents with periodic windows", "正の指数と周期的な窓"), labels=labels, language=language)
        return figure


def _border() -> float:
    """Return by bisection the largest a at which no start makes the loss rise; the starts fill the interval from which descent converges."""
    below, above = 0.5, 1.0
    for _ in range(24):
        a = 0.5 * (below + above)
        x = np.linspace(1e-6, math.sqrt((2 + a) / a) * (1 - 1e-9), 100 * STARTS)
        image = (1 + a) * x - a * x**3
        rises = (image**2 - 1) ** 2 > (x**2 - 1) ** 2 * (1 + 1e-12) + 1e-24
        below, above = (below, a) if rises.any() else (a, above)
    return 0.5 * (below + above)
