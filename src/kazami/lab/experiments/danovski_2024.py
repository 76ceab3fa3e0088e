"""Danovski, Soriano and Lacasa 2024: a shallow network on Iris at low, middle and high learning rates, and what its hidden layer does there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...reports.numerals import short
from ..danovski import high, losses, low, middle, one_series
from ..danovski_panels import panels
from ..line_figure import panel_figure
from ..small_trainings import Factors
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER = "published: Danovski, Soriano and Lacasa 2024 (arXiv 2404.05782)"
LEVELS = {1e-14: (0.34, 0.05), 1e-8: (0.27, 0.05), 1e-2: (0.07, 0.03)}
OURS = "derivation: a dead hidden layer leaves a map of three output sums, lab/dead_layers.py"
PUBLISHED = Factors("10", "sigmoid", "normal:1", "cross_entropy")
NULL = "null: distances shuffled in time"


@dataclass(frozen=True)
class Danovski2024(AbstractExperiment):
    r"""Repeats the paper: finite-perturbation exponents, orbital stability, local exponents, autocorrelation; then looks inside the networks.

    4–10–3 sigmoid on raw Iris, weights N(0, 1), full-batch gradient descent in float64. Beyond the paper: at the high learning rate the hidden layers are
    looked at, and the loss is predicted by a map of three numbers that knows no inputs.

    Limits:
        Iris is in scikit-learn's order after ``default_rng(0).permutation(150)``; there it was TensorFlow's. The quick version has fewer initialisations.
        Dead means silent for the last 100 steps; a silent layer may burst again.

    References:
        Danovski, Soriano and Lacasa 2024 (arXiv 2404.05782).
    """

    factors: Factors = PUBLISHED

    name: ClassVar = "danovski-2024"
    title: ClassVar = both("Stability and chaos along the training of a shallow network", "浅いネットワークの学習軌道の安定性とカオス")
    question: ClassVar = both(
        "How do nearby trainings part at low, middle and high learning rates, and what moves?", "学習率の低・中・高で近い軌道はどう離れ、何が動いているのか。"
    )
    claim: ClassVar = both(
        "Low: orbits drift apart. Middle: they part exponentially. High: the loss is intermittent and chaotic-like.",
        "低い学習率では軌道がゆっくり離れ、中程度では指数的に離れ、高い学習率では損失が間欠的・カオス的になる。",
    )
    citation: ClassVar = "Danovski, Soriano and Lacasa 2024 (arXiv 2404.05782)"
    seconds: ClassVar = (20.0, 500.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """One row per measurement; the high learning rate first, because it is the one to look at."""
        number = paired_seeds(seed, 1)[0]
        epsilons = LEVELS if quick else [float(f"1e{power}") for power in range(-14, -1)]
        count, steps, rates = (8, 2800, (5.0,)) if quick else (20, 10_000, (2.0, 3.0, 5.0, 10.0))
        rows: list[Row] = [{"part": "high", "rate": rate, "count": count, "steps": steps} for rate in rates]
        rows += [{"part": "middle", "epsilon": epsilon, "count": 24 if quick else 100} for epsilon in epsilons]
        rows += [{"part": "losses", "rate": rate, "count": 10 if quick else 20, "steps": 300 if quick else 1000} for rate in (0.1, 0.3)]
        rows += [{"part": "low", "count": 4 if quick else 20, "steps": 600 if quick else 5000}, {"part": "series", "steps": 1400 if quick else 5000}]
        return [{"seed": number, **row} for row in rows]

    def measure(self, condition: Row) -> Row:
        """Measure one part."""
        seed, part, factors = condition["seed"], condition["part"], self.factors
        if part == "high":
            return high(factors, condition["rate"], seed=seed, initialisations=condition["count"], steps=condition["steps"])
        if part == "middle":
            return middle(factors, condition["epsilon"], seed=seed, initialisations=condition["count"])
        if part == "losses":
            return losses(factors, condition["rate"], seed=seed, initialisations=condition["count"], steps=condition["steps"])
        if part == "low":
            return low(factors, seed=seed, epsilons=(1e-12, 1e-8, 1e-4), replicas=condition["count"], steps=condition["steps"])
        return one_series(factors, seed=seed + 1, steps=condition["steps"])

    def checks(self, rows: Rows) -> Sequence[Check]:
        """The paper's numbers, and what is true of the hidden layer."""
        return [*_middle(rows.where(part="middle")), *_low(rows.where(part="low"), rows.where(part="losses")), *_high(rows.where(part="high", rate=5.0))]

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Exponents by perturbation, and what is inside by learning rate."""
        columns = [("ε", "ε"), ("exponent", "指数"), ("spread", "標準偏差"), ("kept", "採用率"), ("kept, shuffled", "採用率（シャッフル）")]
        first = [(row["epsilon"], row["value"], row["spread"], row["kept"], row["null"]) for row in rows.where(part="middle")]
        inside = [("learning rate", "学習率"), ("share dead", "死んだ割合"), ("died at, median", "死んだ時点（中央値）"), ("still moving", "動き続ける割合")]
        second = [(row["rate"], row["dead"], float(np.median(row["died_at"])), float(np.mean(row["moves"]))) for row in rows.where(part="high")]
        series = [("died at", "死んだ時点"), ("λ before", "死ぬ前の λ"), ("λ after", "死んだ後の λ"), ("local exponents, median", "局所指数（中央値）")]
        third = [(row["died"], row["before"], row["after"], row["slope"]) for row in rows.where(part="series")]
        return [
            Table.of(both("Finite-perturbation exponents at learning rate 1", "学習率 1 での有限摂動の指数"), columns, first),
            Table.of(both("Hidden layers at high learning rates", "高い学習率での隠れ層"), inside, second),
            Table.of(both("One network at learning rate 5", "学習率 5 の一例"), series, third),
        ]

    def finding(self, rows: Rows) -> Sentence:
        """The finding: what the hidden layer does."""
        row, exponent = rows.where(part="high", rate=5.0)[0], short(rows.where(part="middle", epsilon=1e-8).mean("value"))
        dead, died = short(100 * row["dead"]), short(float(np.median(row["died_at"])))
        low_rate, high_rate, stable = short(float(np.min(row["effective"]))), short(float(np.max(row["effective"]))), short(row["stable"])
        alone = rows.where(part="series")[0]
        if row["dead"] < 0.5:
            text = f"At learning rate 5 the hidden layers of {dead} % of the networks are dead; at 1 the exponent is {exponent}."
            return both(text, f"学習率 5 では {dead} % の隠れ層が死んでいます。学習率 1 での指数は {exponent} です。")
        before, after = short(alone["before"]), short(alone["after"])
        return both(
            f"At learning rate 1 nearby trainings part with exponent {exponent} per step. At learning rate 5 the network does not learn: the hidden layers "
            f"of {dead} % of the networks saturate (median step {died}), every sample gets the same answer, and what goes on moving are the output sums "
            f"alone, a map of three numbers with effective rate {low_rate} to {high_rate} that is stable below {stable}. "
            f"One network looked at closely parted from its neighbours before (λ = {before}), and not after (λ = {after}).",
            f"学習率 1 では近い軌道が 1 ステップあたり指数 {exponent} で離れます。学習率 5 ではネットワークは学習していません。{dead} % で隠れ層が飽和して死に"
            f"（中央値: ステップ {died}）、全サンプルに同じ答えを返します。動き続けるのは 3 つの出力和だけです（有効学習率 {low_rate}〜{high_rate}、"
            f"{stable} 未満で安定な 3 変数の写像）。ある一例では、近い軌道が離れるのは死ぬ前（λ = {before}）だけで、死んだ後は離れません（λ = {after}）。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Exponent against perturbation, losses at 5, distances at the low rate, λ(t) and the autocorrelation of one network."""
        return panel_figure(panels(rows), language=language, columns=3)


def _middle(here: Rows) -> Iterator[Check]:
    for epsilon, (expected, tolerance) in LEVELS.items():
        row = here.where(epsilon=epsilon)
        yield Check(f"exponent at ε = {epsilon:g}", row.mean("value"), expected, tolerance, "within", "1/step", PAPER, f"ε = {epsilon:g} での指数")
        null = row.mean("null")
        yield Check(f"share kept of shuffled distances, ε = {epsilon:g}", null, 0.0, 0.05, "at_most", "", NULL, f"シャッフルした距離の採用率、ε = {epsilon:g}")
    falls = float(np.max(np.diff(here.values("value")))) if len(here) > 1 else np.nan
    yield Check("largest rise of the exponent from one ε to the next", falls, 0.0, 0.02, "at_most", "1/step", PAPER, "隣り合う ε での指数の最大上昇")


def _low(here: Rows, falling: Rows) -> Iterator[Check]:
    yield Check("η = 0.01: first distance over εN", here.mean("begin"), 0.5, 0.03, "within", "", PAPER, "η = 0.01: 初期距離 / εN")
    yield Check("η = 0.01: largest ratio between the curves of all ε", here.mean("spread"), 1.0, 0.05, "within", "", PAPER, "η = 0.01: 各 ε の曲線の最大比")
    yield Check("η = 0.01: share of ε with exponential growth", here.mean("exponential"), 0.0, 0.0, "within", "", PAPER, "η = 0.01: 指数的に離れる ε の割合")
    yield Check("η = 0.01: share of a late perturbation that stays", here.mean("stays"), 0.5, 0.0, "at_least", "", PAPER, "η = 0.01: 終盤の摂動が残る割合")
    for rate, share in ((0.1, 1.0), (0.3, 0.0)):
        measured = falling.where(rate=rate).mean("monotone")
        yield Check(f"η = {rate:g}: share with a falling loss", measured, share, 0.1, "within", "", PAPER, f"η = {rate:g}: 損失が下がり続ける割合")


def _high(here: Rows) -> Iterator[Check]:
    dead = here.mean("dead")
    yield Check("η = 5: share of networks that give every sample the same answer", dead, 1.0, 0.05, "within", "", OURS, "η = 5: 全サンプルに同じ答えを返す割合")
    best = float(np.max(here[0]["accuracy"])) if len(here) else np.nan
    most = here.mean("commonest")
    yield Check("η = 5: best accuracy", best, most, 1e-9, "at_most", "", "the share of the commonest class", "η = 5: 最良の正解率")
    name, name_ja = "η = 5: next step predicted without inputs, largest error of a logit", "η = 5: 入力なしの一歩予測、ロジットの最大誤差"
    yield Check(name, here.mean("apart"), 0.0, 1e-3, "within", "", OURS, name_ja)
