"""The edge of stability: gradient descent sharpens until 2/η, and hovers there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...reports.numerals import short
from ..line_figure import Panel, panel_figure
from ..sharpening import sharpening
from ..small_trainings import Factors, full_batch, gradient_descent, raw_iris
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED = Factors("16-16", "tanh", "xavier", "mse")
AT_EDGE, BELOW = (0.3, 0.5), 0.1
COHEN = "Cohen et al. 2021 (arXiv 2103.00065): the sharpness rises to 2/η and hovers there"
CALM = "derivation: below 2/η a step of gradient descent lowers a quadratic; 0.6 published for this setup"


@dataclass(frozen=True)
class EdgeOfStability(AbstractExperiment):
    r"""Trains 4–16–16–3 tanh on standardised Iris with half the squared error, full batch, and follows the top Hessian eigenvalue against :math:`2/\eta`.

    Limits:
        At the edge the iterates hop over a valley: every measurement is the mean over two consecutive steps.

    References:
        Cohen, Kaur, Li, Kolter and Talwalkar 2021 (arXiv 2103.00065).
    """

    factors: Factors = PUBLISHED

    name: ClassVar = "edge-of-stability"
    title: ClassVar = both("The edge of stability of gradient descent", "勾配降下法の安定性の縁")
    question: ClassVar = both("How sharp does the loss become where gradient descent trains?", "勾配降下法が学習する場所の損失はどこまで鋭くなるか。")
    claim: ClassVar = both(
        "The sharpness rises until 2/η and hovers just above it, while the loss goes on falling, but no longer monotonically.",
        "シャープネスは 2/η まで上昇してその付近にとどまり、損失は単調ではなくなるが下がり続ける。",
    )
    citation: ClassVar = "Cohen et al. 2021 (arXiv 2103.00065)"
    seconds: ClassVar = (15.0, 90.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Every rate with every seed."""
        return [{"seed": number, "rate": rate, "steps": 6000} for number in paired_seeds(seed, 1 if quick else 4) for rate in (*AT_EDGE, BELOW)]

    def measure(self, condition: Row) -> Row:
        """Train and measure the sharpness at 40 places."""
        rate, factors = condition["rate"], self.factors
        make = gradient_descent(rate, factors.weight_decay)
        training = full_batch(raw_iris(standardised=True), factors, make, steps=condition["steps"], seed=condition["seed"])
        found = sharpening(training, steps=condition["steps"], probes=40)
        falls = float((np.diff(found.losses) <= 1e-15).all())
        shown = {"losses": found.losses, "steps_at": found.steps, "ratios": found.ratios}
        return {**shown, "late": found.late, "largest": float(found.ratios.max()), "falls": falls, "final": float(found.losses[-1])}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """At the edge for the larger rates, below it and monotone for the smallest."""
        checks = []
        for rate in AT_EDGE:
            here = rows.where(rate=rate)
            checks.append(
                Check(
                    f"η = {rate:g}: late sharpness over 2/η", here.mean("late"), 0.99, 0.04, "within", "", COHEN, f"η = {rate:g}: 後半のシャープネスと 2/η の比"
                )
            )
            checks.append(
                Check(
                    f"η = {rate:g}: share with a loss that only falls",
                    here.mean("falls"),
                    0.0,
                    0.0,
                    "within",
                    "",
                    COHEN,
                    f"η = {rate:g}: 損失が下がり続ける割合",
                )
            )
        calm = rows.where(rate=BELOW)
        checks.append(
            Check(
                f"η = {BELOW:g}: largest late sharpness over 2/η",
                calm.largest("late"),
                0.6,
                0.1,
                "at_most",
                "",
                CALM,
                f"η = {BELOW:g}: 後半のシャープネスと 2/η の比の最大",
            )
        )
        checks.append(
            Check(
                f"η = {BELOW:g}: share with a loss that only falls", calm.mean("falls"), 1.0, 0.0, "within", "", CALM, f"η = {BELOW:g}: 損失が下がり続ける割合"
            )
        )
        return checks

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Ratios and losses by rate."""
        columns = [("η", "η"), ("late sharpness over 2/η", "後半のシャープネス / (2/η)"), ("largest", "最大"), ("final loss", "最終損失")]
        cells = [(rate, (here := rows.where(rate=rate)).mean("late"), here.largest("largest"), here.mean("final")) for rate in rows.distinct("rate")]
        return [Table.of(both("Sharpness against the threshold", "シャープネスと安定限界"), columns, cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        high, low = short(rows.where(rate=AT_EDGE[0]).mean("late")), short(rows.where(rate=BELOW).mean("late"))
        return both(
            f"Gradient descent at η = 0.3 hovers at {high} of 2/η and its loss rises now and then; at η = 0.1 it stays at {low} of 2/η and only falls.",
            f"η = 0.3 の勾配降下法は 2/η の {high} 倍にとどまり、損失は時々上がります。η = 0.1 では 2/η の {low} 倍で、損失は下がり続けます。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Sharpness and losses of the first seed."""
        one = rows.where(seed=rows[0]["seed"])
        ratios = {f"η = {row['rate']:g}": (row["steps_at"], row["ratios"]) for row in one}
        losses = {f"η = {row['rate']:g}": row["losses"] for row in one}
        step = both("step", "ステップ")
        first = Panel(
            ratios,
            both("Sharpness rises to 2/η and hovers there", "シャープネスは 2/η まで上がりとどまる"),
            (step, both("sharpness / (2/η)", "シャープネス / (2/η)")),
        )
        second = Panel(
            losses, both("… and the loss goes on falling, in jumps", "… 損失は跳ねながら下がり続ける"), (step, both("loss", "損失")), ("linear", "log")
        )
        return panel_figure([first, second], language=language)
