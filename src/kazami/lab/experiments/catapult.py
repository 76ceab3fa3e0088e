"""The catapult: beyond 2/λ the loss rises first, and the network lands where the curvature is smaller."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...reports.numerals import short
from ..catapults import trained
from ..line_figure import Panel, panel_figure
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATES, WIDTH, STEPS = (1.0, 1.98, 2.1, 3.0, 3.95, 4.1), 2048, 300
SOURCE = "Lewkowycz et al. 2020 (arXiv 2003.02218): monotone below ηλ₀ = 2, catapult to 4, divergence above"


class Catapult(AbstractExperiment):
    r"""Trains two linear layers on one sample at learning rates given in units of the first curvature, :math:`\eta\lambda_0`.

    Limits:
        How high the loss flies depends on the first output: the smaller it is, the longer it grows. The borders 2 and 4 are those of great width.

    References:
        Lewkowycz, Bahri, Dyer, Sohl-Dickstein and Gur-Ari 2020 (arXiv 2003.02218).
    """

    name: ClassVar = "catapult"
    title: ClassVar = both("The catapult of a large learning rate", "大きな学習率のカタパルト")
    question: ClassVar = both(
        "What happens between the learning rate that is stable and the one that diverges?", "安定な学習率と発散する学習率の間では何が起きるか。"
    )
    claim: ClassVar = both(
        "Above 2/λ the loss first grows, then the training lands in a flatter place and converges; above 4/λ it diverges.",
        "2/λ を超えると損失はいったん増え、より平らな場所に着地して収束する。4/λ を超えると発散する。",
    )
    citation: ClassVar = "Lewkowycz et al. 2020 (arXiv 2003.02218)"
    seconds: ClassVar = (4.0, 20.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Every rate with every seed."""
        return [{"seed": number, "rate": rate} for number in paired_seeds(seed, 2 if quick else 10) for rate in RATES]

    def measure(self, condition: Row) -> Row:
        """Train once."""
        found = trained(condition["rate"], width=WIDTH, steps=STEPS, seed=condition["seed"])
        ends = {"losses": found.losses, "curvatures": found.curvatures, "peak": found.peak}
        return {**ends, "end": float(found.curvatures[-1]), "diverged": float(found.diverged)}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """The three phases."""
        checks = []
        for rate in RATES:
            here, name, ja = rows.where(rate=rate), f"ηλ₀ = {rate:g}", f"ηλ₀ = {rate:g}"
            checks.append(Check(f"{name}: share that diverges", here.mean("diverged"), float(rate > 4), 0.0, "within", "", SOURCE, f"{ja}: 発散する割合"))
            if rate < 2:
                checks.append(Check(f"{name}: largest loss over the first", here.largest("peak"), 1.0, 0.0, "within", "", SOURCE, f"{ja}: 最大損失 / 初期損失"))
            elif rate < 4:
                checks.append(
                    Check(
                        f"{name}: smallest peak of the loss over the first",
                        here.least("peak"),
                        1.01,
                        0.0,
                        "at_least",
                        "",
                        SOURCE,
                        f"{ja}: 損失の山 / 初期損失の最小値",
                    )
                )
                checks.append(Check(f"{name}: largest ηλ at the end", here.largest("end"), 2.0, 0.0, "at_most", "", SOURCE, f"{ja}: 終点の ηλ の最大値"))
        return checks

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Peaks and ends by rate."""
        columns = [
            ("ηλ₀", "ηλ₀"),
            ("peak of the loss, median", "損失の山（中央値）"),
            ("ηλ at the end, median", "終点の ηλ（中央値）"),
            ("share that diverges", "発散する割合"),
        ]
        cells = [(rate, (here := rows.where(rate=rate)).median("peak"), here.median("end"), here.mean("diverged")) for rate in rows.distinct("rate")]
        return [Table.of(both("Three phases", "3 つの相"), columns, cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        here = rows.where(rate=3.0)
        peak, end = short(here.median("peak")), short(here.median("end"))
        return both(
            f"At ηλ₀ = 3 the loss first grows {peak}-fold and the training lands at ηλ = {end}; below 2 the loss never rises, above 4 it diverges.",
            f"ηλ₀ = 3 では損失がまず {peak} 倍に増え、ηλ = {end} の平らな場所に着地します。2 未満では上がらず、4 を超えると発散します。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Loss and curvature of the first seed."""
        one = rows.where(seed=rows[0]["seed"])
        losses = {f"ηλ₀ = {row['rate']:g}": np.clip(row["losses"][:80], 1e-12, 1e9) for row in one}
        curvatures = {f"ηλ₀ = {row['rate']:g}": np.minimum(row["curvatures"][:80], 8.0) for row in one}
        titles = both("Between 2 and 4 the loss is catapulted", "2 と 4 の間で損失は跳ね上がる"), both("… and lands where ηλ < 2", "… そして ηλ < 2 に着地する")
        step = both("step", "ステップ")
        panels = [Panel(losses, titles[0], (step, both("loss", "損失")), ("linear", "log")), Panel(curvatures, titles[1], (step, both("ηλ", "ηλ")))]
        return panel_figure(panels, language=language)
