"""The onset of chaos: is training fastest at the learning rate at which nearby trainings begin to part?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import nn

from ...dynamics import onset_of_chaos
from ...reports.numerals import short
from ..line_figure import Panel, panel_figure
from ..small_trainings import Factors, full_batch, gradient_descent, small_digits
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED = Factors("32", "tanh", "normal:1", "cross_entropy")
LOWEST, HIGHEST, EPOCHS, CHANCE = 0.2, 15.0, 150, 0.1
SOURCE = "claim of arXiv 2506.08523: the time to an acceptable test accuracy is smallest where the exponent turns positive"


@dataclass(frozen=True)
class OnsetOfChaos(AbstractExperiment):
    r"""Trains 64–32–10 tanh with weights N(0, 1) on 200 digits, full batch, at learning rates from 0.2 to 15.

    Limits:
        The exponent is a finite-time one, over the 150 epochs. The paper has MNIST and 64 hidden units.

    References:
        arXiv 2506.08523.
    """

    factors: Factors = PUBLISHED

    name: ClassVar = "onset-of-chaos"
    title: ClassVar = both("The learning rate at the onset of chaos", "カオスが始まる学習率")
    question: ClassVar = both(
        "Is training fastest where nearby trainings begin to part exponentially?", "学習が最も速いのは、近い軌道が指数的に離れ始める学習率か。"
    )
    claim: ClassVar = both(
        "Training is fastest at the onset of chaos, and fails far beyond it.", "学習はカオスの始まりで最も速く、それをはるかに超えると失敗する。"
    )
    citation: ClassVar = "arXiv 2506.08523"
    seconds: ClassVar = (20.0, 150.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Growth and time over all rates, and the accuracy far beyond."""
        number, rates = paired_seeds(seed, 1)[0], 8 if quick else 15
        return [{"seed": number, "part": "onset", "rates": rates, "count": 4 if quick else 8}, {"seed": number, "part": "beyond", "count": 4 if quick else 8}]

    def measure(self, condition: Row) -> Row:
        """Run the ensemble over the learning rates, or train at the highest."""
        seed, count, data = condition["seed"], condition["count"], small_digits()

        def accuracy(model: nn.Module) -> float:
            with torch.no_grad():
                return float((model(data.x_test.to(next(model.parameters()))).argmax(1) == data.y_test).double().mean())

        make = gradient_descent(HIGHEST, self.factors.weight_decay)
        training = replace(full_batch(data, self.factors, make, steps=EPOCHS, seed=seed), evaluate=accuracy)
        if condition["part"] == "beyond":
            return {"accuracy": [training.replaced(seed=seed + number).run().score for number in range(count)]}
        rates = np.geomspace(LOWEST, HIGHEST, condition["rates"])
        found = onset_of_chaos(training, rates, seeds=count, acceptable=0.7)
        table = {name: [row[name] for row in found.table] for name in ("learning_rate", "exponent", "time", "reached")}
        return {**table, "onset": found.onset, "interval": found.interval, "fastest": found.fastest, "proved": found.is_proved, "proof": found.proof}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """Regular at the lowest rate, chaotic at the highest, fastest within a factor of three of the onset, no learning far beyond."""
        here, beyond = rows.where(part="onset"), rows.where(part="beyond")
        first, last = (here[0]["exponent"][place] if len(here) else math.nan for place in (0, -1))
        apart = abs(math.log10(here[0]["fastest"] / here[0]["onset"])) if len(here) else math.nan
        score = float(np.mean(beyond[0]["accuracy"])) if len(beyond) else math.nan
        # neighbouring rates of the grid differ by up to 1.85; more than two places apart would contradict the claim
        return [
            Check("lowest rate: exponent", first, 0.0, math.log(1e3) / EPOCHS, "at_most", "1/step", SOURCE, "最低の学習率: 指数"),
            Check("highest rate: exponent", last, math.log(1e3) / EPOCHS, 0.0, "at_least", "1/step", SOURCE, "最高の学習率: 指数"),
            Check("decades between the fastest rate and the onset", apart, 0.0, 0.5, "within", "", SOURCE, "最速の学習率とカオスの始まりの差（桁）"),
            Check("η = 15: test accuracy", score, 0.7, 0.0, "at_most", "", SOURCE, "η = 15: テスト正解率"),
        ]

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Exponent and time by rate."""
        columns = [
            ("η", "η"),
            ("exponent, 1/step", "指数、1/ステップ"),
            ("steps to 70 % accuracy", "正解率 70 % までのステップ"),
            ("share that gets there", "到達した割合"),
        ]
        cells = [cell for row in rows.where(part="onset") for cell in zip(row["learning_rate"], row["exponent"], row["time"], row["reached"], strict=True)]
        return [Table.of(both("Growth and speed by learning rate", "学習率ごとの成長と速さ"), columns, cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        row = rows.where(part="onset")[0]
        onset, fastest = short(row["onset"]), short(row["fastest"])
        low, high = (short(end) for end in row["interval"])
        return both(
            f"Chaos begins at η = {onset} (95 %: {low} to {high}); training is fastest at η = {fastest}.",
            f"カオスは η = {onset}（95 %: {low}〜{high}）で始まり、学習は η = {fastest} で最も速くなります。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Exponent and time over the learning rate."""
        here, rate = rows.where(part="onset"), both("learning rate", "学習率")
        if not len(here):
            return panel_figure([Panel({}, both("Nothing measured yet", "まだ測定なし"), (rate, both("exponent", "指数")))], language=language)
        row, scales = here[0], ("log", "linear")
        title = both(f"Nearby trainings part beyond η = {short(row['onset'])}", f"η = {short(row['onset'])} を超えると近い軌道が離れる")
        second = both(f"Training is fastest at η = {short(row['fastest'])}", f"学習は η = {short(row['fastest'])} で最速")
        growth = {"exponent": (row["learning_rate"], row["exponent"])}
        times = {"time": (row["learning_rate"], np.where(np.isfinite(row["time"]), row["time"], np.nan))}
        panels = [Panel(growth, title, (rate, both("exponent, 1/step", "指数、1/ステップ")), scales)]
        return panel_figure([*panels, Panel(times, second, (rate, both("steps to 70 % accuracy", "正解率 70 % までのステップ")), scales)], language=language)
