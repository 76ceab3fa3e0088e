"""Clipping: what an explosion does to the weights, when it ends in infinity, and what a limit on the gradient's norm changes about it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from torch import nn

from ...patients.data import Data, digits, first_symbol
from ...reports.numerals import short
from ..line_figure import Panel, panel_figure
from ..networks import stormy_classifier
from ..overshoot import FRACTIONS, first_step
from ..recurrent import ReusedWeights
from ..training_loops import classifier_training, descent, losses_until_overflow, scores
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH, WIDTH, TIME, LEARNING_RATE, LIMIT = 10, 64, 30, 0.1, 1.0
LARGE, REUSED = "large weights", "reused weights"
SETTINGS = {LARGE: both("large weights", "大きな重み"), REUSED: both("reused weights (RNN)", "重みの再利用（RNN）")}
CLAIM, LOOP = "the claim: one update overwrites the weights", "derivation: above one, every step makes the next one longer"
PARABOLA = "derivation: on a parabola, a step of more than twice the best one ends higher than it began"
FACTS = {  # name in the rows: names, lowest expected value, source
    "overwritten": (both("first update over the weights it changes", "最初の更新と元の重みの長さの比"), 1.0, CLAIM),
    "overshoot": (both("first step over the best step that way", "最初の一歩とその方向の最適な一歩の比"), 2.0, PARABOLA),
    "loop_gain": (both("next gradient over the first", "次の勾配と最初の勾配の比"), 1.0, LOOP),
}
PREDICTED = ("overflow after, predicted", "発散までの更新数（予測）")
ENDS = [("setting", "条件"), ("clipped at", "クリップ値"), ("seeds", "シード数"), ("share finite", "有限の割合"), ("train accuracy", "訓練正解率")]
LINES = {"loss": both("loss along the step", "歩みに沿った損失"), "best": both("best place", "最適な場所"), "landing": both("where it lands", "実際の着地点")}
LINES |= {"none": both("no clipping", "クリップなし"), "clipped": both("clipped at 1", "1 でクリップ")}
HOMOGENEOUS = "derivation: outputs of homogeneous layers grow by the product of their growths, see lab/overshoot.py; counted from the first gradient alone"
PASCANU = "Pascanu, Mikolov and Bengio 2013: with its norm clipped, an exploding gradient makes a step of the usual length"


class Clipping(AbstractExperiment):
    r"""Trains two exploding networks by plain gradient descent, with and without a limit on the gradient's norm, from the same seeds.

    One is a 10-layer ReLU network whose weights have three times He's variance, on digits; the other a ReLU recurrence over 30 time steps whose one matrix has
    singular values 2, asked for the first symbol of a sequence. For each: how much of its weights the first update overwrites, how many times the best length
    in its direction it has, by how much the next gradient is larger (the loop gain), and the number of updates until
    the loss is not finite, predicted and measured.

    Limits:
        Clipping bounds the step, not the gradient: the network is as badly initialised as before, and may learn little (the recurrence, with some seeds).

    References:
        Pascanu, Mikolov and Bengio 2013 (arXiv 1211.5063).
    """

    name: ClassVar = "clipping"
    title: ClassVar = both("Exploding gradients with and without clipping", "勾配爆発とクリッピング")
    question: ClassVar = both(
        "What does an exploding gradient do to the weights, when does it end in infinity, and does clipping save the training?",
        "勾配爆発は重みに何をし、いつ無限大に達するか。クリッピングは学習を救うか。",
    )
    claim: ClassVar = both(
        "An explosion overwrites the weights in one update, overshoots the optimum and feeds on itself until NaN; gradient clipping prevents that.",
        "勾配爆発は一度の更新で重みを上書きし、最適点を飛び越え、自己増幅して NaN に至る。勾配クリッピングはそれを防ぐ。",
    )
    citation: ClassVar = "Pascanu, Mikolov and Bengio 2013 (arXiv 1211.5063)"
    seconds: ClassVar = (5.0, 40.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Both settings, clipped and not, with every seed."""
        seeds, steps = (2, 400) if quick else (8, 800)
        numbers = paired_seeds(seed, seeds)
        return [{"seed": number, "setting": setting, "clip": clip, "steps": steps} for number in numbers for setting in SETTINGS for clip in (None, LIMIT)]

    def measure(self, condition: Row) -> Row:
        """Train, and without clipping look closely at the first step."""
        number, clip = condition["seed"], condition["clip"]
        model, data = _problem(condition["setting"], number)
        training = classifier_training(model, data, descent(LEARNING_RATE), steps=condition["steps"], seed=number + 500, clip_grad_norm=clip)
        x, y = next(training.endless_batches())
        first: Row = asdict(first_step(model, x, y, LEARNING_RATE, uses={"again.weight": TIME})) if clip is None else {}
        losses = losses_until_overflow(training)
        is_finite = math.isfinite(losses[-1])
        return {**first, "losses": losses, "finite": is_finite, "overflow": math.inf if is_finite else len(losses) - 1, **asdict(scores(model, data))}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """The first step, the step of overflow, who survives, and whether the survivor of the large weights has learnt."""
        found = [check for setting, name in SETTINGS.items() for check in _of_setting(rows.where(setting=setting), name)]
        worst = rows.where(setting=LARGE, clip=LIMIT).largest("train_loss")
        name, name_ja = "large weights, clipped: largest final training loss", "大きな重み、クリップあり: 最終訓練損失の最大値"
        return [*found, Check(name, worst, math.log(10), 0.0, "at_most", "nats", "the trivial predictor: entropy of ten classes", name_ja)]

    def tables(self, rows: Rows) -> Sequence[Table]:
        """The first step, as medians over the seeds, and where the trainings ended."""
        names = {**{key: (fact[0].en, fact[0].ja) for key, fact in FACTS.items()}, "overflow_step": PREDICTED, "overflow": ("measured", "実測")}
        first = [(key, *(rows.where(setting=key, clip=None).median(name) for name in names)) for key in SETTINGS]
        ends = [(row[0], str(row[1]), len(row[2]), row[2].mean("finite"), row[2].mean("train_accuracy")) for row in _by_setting(rows)]
        titles = both("The first step (medians over the seeds)", "最初の一歩（シード間の中央値）"), both("After the training", "学習後")
        return [Table.of(titles[0], [("setting", "条件"), *names.values()], first), Table.of(titles[1], ENDS, ends)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        large, clipped = rows.where(setting=LARGE, clip=None), rows.where(setting=LARGE, clip=LIMIT)
        longer, gain, updates = (short(large.median(name)) for name in ("overwritten", "loop_gain", "overflow"))
        accuracy, recurrent = short(clipped.mean("train_accuracy")), short(rows.where(setting=REUSED, clip=LIMIT).mean("train_accuracy"))
        return both(
            f"The first update of a network with large weights is {longer} times as long as the weights it changes and makes the next gradient {gain} times "
            f"larger; after {updates} updates the loss is not finite. Clipped at norm 1 it stays finite and reaches a training accuracy of {accuracy} "
            f"(the recurrence: {recurrent}).",
            f"重みの大きなネットワークでは、最初の更新は元の重みの {longer} 倍の長さがあり、次の勾配を {gain} 倍にし、{updates} 回の更新で損失が発散します。"
            f"ノルムを 1 でクリップすると有限のまま進み、訓練正解率は {accuracy}（RNN では {recurrent}）に達します。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """The loss along the first step, and the losses of the first seed's trainings."""
        one = rows.where(seed=rows[0]["seed"], setting=LARGE)
        along: dict[str, Any] = {}
        for row in one.where(clip=None):
            best, heights = int(np.argmin(row["along"])), np.where(np.isfinite(row["along"]), row["along"], np.nan)
            along |= {"loss": (FRACTIONS, heights), "best": (FRACTIONS[[best]], heights[[best]]), "landing": (FRACTIONS[-1:], heights[-1:])}
        losses = {("none" if row["clip"] is None else "clipped"): (np.arange(1.0, len(row["losses"]) + 1), row["losses"]) for row in one}
        titles = (
            both("The first step lands far beyond its best place", "最初の一歩は最適点をはるかに越える"),
            both("Clipped, the training survives", "クリップすれば学習は続く"),
        )
        share, step, loss = both("share of the step taken", "歩幅の割合"), both("optimizer step", "ステップ"), both("loss, nats", "損失 (nat)")
        panels = [Panel(along, titles[0], (share, loss), ("log", "log")), Panel(losses, titles[1], (step, loss), ("log", "log"))]
        return panel_figure(panels, language=language, names=LINES)


def _problem(setting: str, seed: int) -> tuple[nn.Module, Data]:
    if setting == REUSED:
        return ReusedWeights(4, 48, 4, gain=2.0, seed=seed), first_symbol(length=TIME)
    return stormy_classifier(DEPTH, width=WIDTH, n_in=64, n_classes=10, excess=3.0, seed=seed), digits()


def _by_setting(rows: Rows) -> list[tuple[str, float | None, Rows]]:
    return [(setting, clip, rows.where(setting=setting, clip=clip)) for setting in SETTINGS for clip in (None, LIMIT)]


def _of_setting(here: Rows, name: Sentence) -> Iterator[Check]:
    free = here.where(clip=None)
    for key, (fact, least, source) in FACTS.items():
        yield Check(f"{name.en}: {fact.en}, smallest over the seeds", free.least(key), least, 0.0, "at_least", "", source, f"{name.ja}: {fact.ja}、最小値")
    late = float(np.mean(free.values("overflow") - free.values("overflow_step"))) if len(free) else math.nan
    yield Check(f"{name.en}: updates to overflow, measured - predicted", late, 0.0, 1.0, "within", "", HOMOGENEOUS, f"{name.ja}: 発散までの更新数、実測 − 予測")
    for clip, words in ((None, both("not clipped", "クリップなし")), (LIMIT, both("clipped", "クリップあり"))):
        share = here.where(clip=clip).mean("finite")
        ja = f"{name.ja}、{words.ja}: 有限のままの割合"
        yield Check(f"{name.en}, {words.en}: share that stays finite", share, float(clip is not None), 0.0, "within", "", PASCANU, ja)
