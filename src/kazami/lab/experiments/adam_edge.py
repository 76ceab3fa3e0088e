"""Adam's edge of stability: the preconditioned sharpness ends at 38/η."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from ...curvature import stability_threshold
from ...reports.numerals import short
from ..line_figure import line_figure
from ..sharpening import sharpening
from ..small_trainings import Factors, full_batch, raw_iris
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED = Factors("16-16", "tanh", "xavier", "mse")
RATES, BETA = (3e-3, 1e-2), 0.9
COHEN = "Cohen et al. 2022 (arXiv 2207.14484): the preconditioned sharpness equilibrates at 2(1+β₁)/((1-β₁)η)"


@dataclass(frozen=True)
class AdamEdge(AbstractExperiment):
    r"""Trains 4–16–16–3 tanh on standardised Iris with Adam, full batch, and follows the top eigenvalue of the preconditioned Hessian against :math:`38/\eta`.

    Limits:
        The preconditioner is that of the last step; while it still adapts, the ratio may overshoot one.

    References:
        Cohen, Ghorbani, Krishnan and others 2022 (arXiv 2207.14484).
    """

    factors: Factors = PUBLISHED

    name: ClassVar = "adam-edge"
    title: ClassVar = both("Adam's edge of stability", "Adam の安定性の縁")
    question: ClassVar = both("Against which limit does Adam's sharpness run?", "Adam のシャープネスはどの限界に突き当たるか。")
    claim: ClassVar = both(
        "Adam's preconditioned sharpness ends at 38/η, where its momentum makes it unstable.",
        "Adam の前処理後シャープネスは、モメンタムが不安定になる 38/η で落ち着く。",
    )
    citation: ClassVar = "Cohen et al. 2022 (arXiv 2207.14484)"
    seconds: ClassVar = (15.0, 90.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Every rate with every seed."""
        return [{"seed": number, "rate": rate, "steps": 6000} for number in paired_seeds(seed, 1 if quick else 4) for rate in RATES]

    def measure(self, condition: Row) -> Row:
        """Train and measure at 40 places."""
        rate, factors = condition["rate"], self.factors

        def adam(model: torch.nn.Module) -> torch.optim.Optimizer:
            return torch.optim.Adam(model.parameters(), rate, betas=(BETA, 0.999), weight_decay=factors.weight_decay)

        training = full_batch(raw_iris(standardised=True), factors, adam, steps=condition["steps"], seed=condition["seed"])
        found = sharpening(training, steps=condition["steps"], probes=40)
        return {"steps_at": found.steps, "ratios": found.ratios, "late": found.late, "end": float(found.ratios[-5:].mean()), "final": float(found.losses[-1])}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """At the edge in the end, and the threshold itself."""
        unit, ja = stability_threshold("adam", 1.0, momentum=BETA), "Adam の限界 × η"
        checks = [Check("Adam's threshold times η", unit if len(rows) else float("nan"), 2 * (1 + BETA) / (1 - BETA), 1e-9, "within", "", COHEN, ja)]
        for rate in RATES:
            value = rows.where(rate=rate).mean("end")
            checks.append(
                Check(
                    f"η = {rate:g}: sharpness over 38/η at the end", value, 0.975, 0.075, "within", "", COHEN, f"η = {rate:g}: 終点のシャープネスと 38/η の比"
                )
            )
        return checks

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Ratios and losses by rate."""
        columns = [("η", "η"), ("late ratio", "後半の比"), ("ratio at the end", "終点の比"), ("final loss", "最終損失")]
        cells = [(rate, (here := rows.where(rate=rate)).mean("late"), here.mean("end"), here.mean("final")) for rate in rows.distinct("rate")]
        return [Table.of(both("Preconditioned sharpness over 38/η", "前処理後シャープネスと 38/η の比"), columns, cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        ends = " and ".join(short(rows.where(rate=rate).mean("end")) for rate in RATES)
        return both(
            f"Adam's preconditioned sharpness ends at {ends} of 38/η, at learning rates 0.003 and 0.01.",
            f"Adam の前処理後シャープネスは、学習率 0.003 と 0.01 で 38/η の {ends.replace(' and ', ' 倍と ')} 倍に落ち着きます。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """The ratio along the training of the first seed."""
        lines = {f"η = {row['rate']:g}": (row["steps_at"], row["ratios"]) for row in rows.where(seed=rows[0]["seed"])}
        title = both("Adam's preconditioned sharpness rises to 38/η", "Adam の前処理後シャープネスは 38/η まで上がる")
        labels = both("step", "ステップ"), both("preconditioned sharpness / (38/η)", "前処理後シャープネス / (38/η)")
        return line_figure(lines, title=title, labels=labels, language=language)
