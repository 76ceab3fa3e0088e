"""Panel 5: two trainings that begin 1e-8 apart, at a low and at two high learning rates."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from ...records import Check, RunInfo, Sentence, Wind
from ...reports.figures import DASHES, MUTED, SERIES, drawing, new_figure
from ...reports.numerals import short
from ...reports.outcome import run_wind, verdict
from ...watch.watching import CHECKS, watch
from .._base import AbstractPanel, Deeper, PanelResult, Picture, Report, Table
from ..deep_net import one_thread
from ..iris_twins import EPSILON, N_CLASSES, N_HIDDEN, N_INPUTS, N_WEIGHTS, Floats, Growth, Twins, first_weights, flowers, growth_of, twins
from ..markup import figure_svg
from ..weather_picture import spark

LOW, HIGH, HIGHEST = 0.01, 1.0, 5.0
STEPS, LONG = 300, 3000
INITIALISATIONS, REPLICAS = 100, 1
PAPER, PAPER_TOLERANCE = 0.27, 0.05  # the network exponent at rate 1, over a hundred initialisations or more
SOURCE = "Danovski, Soriano and Lacasa 2024, arXiv 2404.05782"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was computed.

    Attributes:
        seed: The initialisation that is shown: the first that the paper's rule keeps.
        pairs: By learning rate, that initialisation over `STEPS` steps.
        long: At the low rate over `LONG` steps.
        growth: The exponential stretch at the high rate.
        rates: Growth rates of all kept initialisations.
        words: kazami's wind and verdict, by learning rate.
    """

    seed: int
    pairs: dict[float, Twins]
    long: Twins
    growth: Growth
    rates: Floats
    words: dict[float, tuple[Wind, Sentence]]

    @property
    def settled(self) -> float:
        """The distance at which growth ended at the high rate: the median over the last hundred steps."""
        return float(np.median(self.pairs[HIGH].distance[-100:]))


class TwoTrainings(AbstractPanel):
    """Whether a difference of 1e-8 in the first weights stays, drifts or grows exponentially, and what the hidden layer does meanwhile."""

    name: ClassVar = "two_trainings"
    number: ClassVar = 5
    topic: ClassVar = Sentence("Two trainings, almost the same", "ほとんど同じ 2 つの学習")

    def compute(self, report: Report) -> PanelResult:
        """Train pairs at three learning rates, and a hundred pairs at the middle one."""
        seen = _see(report)
        return PanelResult(
            name=self.name,
            number=self.number,
            topic=self.topic,
            finding=_finding(seen),
            text=_text(seen),
            pictures=(_distance_picture(seen), _hidden_picture(seen)),
            lines=lambda language, width, colour: _lines(seen, language, width),
            numbers=_numbers(seen),
            checks=_checks(seen),
            deeper=(
                Deeper(
                    "kazami lab run danovski-2024 --quick",
                    Sentence("the whole paper reproduced, and what moves in the network", "論文全体を再現し、ネットワークの中で何が動くかを見る"),
                ),
                Deeper("kazami lab lyapunov train.py", Sentence("does a tiny difference grow in your own training?", "ご自分の学習で微小な差が広がるかを見る")),
            ),
        )


def _see(report: Report) -> Seen:
    report(Sentence(f"{INITIALISATIONS} pairs at learning rate {HIGH:g}", f"学習率 {HIGH:g} の {INITIALISATIONS} 組"))
    many = growth_of(twins(HIGH, seeds=tuple(range(INITIALISATIONS)), steps=200, replicas=REPLICAS).distance)
    kept = [seed for seed, growth in enumerate(many) if growth.is_kept]
    seed = kept[0] if kept else 0
    pairs = {}
    for rate in (LOW, HIGH, HIGHEST):
        report(Sentence(f"one pair at learning rate {rate:g}", f"学習率 {rate:g} の 1 組"))
        pairs[rate] = twins(rate, seeds=(seed,), steps=STEPS)
    long = twins(LOW, seeds=(seed,), steps=LONG)
    words = {rate: _watched(rate, seed) for rate in (HIGH, HIGHEST)}
    rates = np.array([many[place].rate for place in kept])
    return Seen(seed, pairs, long, growth_of(pairs[HIGH].distance)[0], rates, words)


def _watched(rate: float, seed: int) -> tuple[Wind, Sentence]:
    """Return kazami's word and verdict on the same training, run once more in PyTorch."""
    x, y = (torch.tensor(values) for values in flowers())
    first, second = (torch.tensor(weights) for weights in first_weights(seed))
    with one_thread(), torch.random.fork_rng(devices=[]):
        model = nn.Sequential(nn.Linear(N_INPUTS, N_HIDDEN), nn.Sigmoid(), nn.Linear(N_HIDDEN, N_CLASSES)).double()
        values = (first.T, torch.zeros(N_HIDDEN), second.T, torch.zeros(N_CLASSES))
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), values, strict=True):
                parameter.copy_(value)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        with watch(model, optimizer, every=2) as seen:
            for _ in range(STEPS):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()
    findings, info = seen.findings, RunInfo(id="", steps=STEPS)
    return run_wind(info, findings), verdict(info, findings, CHECKS)


# ---- numbers


def _grown(pair: Twins) -> float:
    return float(pair.distance[-1, 0] / pair.distance[0, 0])


def _numbers(seen: Seen) -> dict[str, Any]:
    def one(pair: Twins) -> dict[str, Any]:
        return {
            "steps": len(pair.loss) - 1,
            "first_distance": float(pair.distance[0, 0]),
            "last_distance": float(pair.distance[-1, 0]),
            "loss": float(pair.loss[-1, 0]),
            "accuracy": float(pair.accuracy[0]),
            "saturated_share": float(pair.saturated[-1, 0]),
            "constant_hidden_units": int(pair.constant[-1, 0]),
            "spread_of_outputs": float(pair.spread[-1, 0]),
        }

    growth = seen.growth
    return {
        "epsilon": EPSILON,
        "initialisation": seen.seed,
        "pairs": {f"{rate:g}": one(pair) for rate, pair in seen.pairs.items()},
        "long_run": one(seen.long),
        "growth": {"rate": growth.rate, "r2": growth.r2, "window": [growth.start, growth.end], "is_kept": growth.is_kept},
        "ensemble": {"initialisations": INITIALISATIONS, "kept": len(seen.rates), "mean_rate": float(seen.rates.mean()), "deviation": float(seen.rates.std())},
        "wind": {f"{rate:g}": wind.word for rate, (wind, _) in seen.words.items()},
    }


def _checks(seen: Seen) -> tuple[Check, ...]:
    return (
        Check(
            f"mean growth rate per step over {INITIALISATIONS} initialisations, learning rate {HIGH:g}",
            measured=float(seen.rates.mean()) if len(seen.rates) else math.nan,
            expected=PAPER,
            tolerance=PAPER_TOLERANCE,
            source=SOURCE,
            name_ja=f"{INITIALISATIONS} 通りの初期値での平均増大率（1 ステップあたり、学習率 {HIGH:g}）",
        ),
        Check(
            "first distance over ε times the number of perturbed weights",
            measured=float(seen.pairs[LOW].distance[0, 0] / (EPSILON * N_WEIGHTS)),
            expected=0.5,
            tolerance=3 / math.sqrt(12 * N_WEIGHTS),
            source="the mean of |uniform(−1, 1)|, three standard deviations",
            name_ja="最初の距離 ÷（ε × 摂動した重みの数）",
        ),
    )


# ---- words


def _finding(seen: Seen) -> Sentence:
    low, high, dead = seen.pairs[LOW], seen.pairs[HIGH], seen.pairs[HIGHEST]
    constant = int(dead.constant[-1, 0])
    return Sentence(
        f"Two trainings, each weight within {short(EPSILON)}: {STEPS} steps later the gap is {short(_grown(low))} times as wide at rate {LOW:g}, "
        f"{short(_grown(high))} times at rate {HIGH:g}; "
        f"at rate {HIGHEST:g} the hidden layer dies, {constant} of {N_HIDDEN} units silent",
        f"どの重みの差も {short(EPSILON)} 以内で始まる 2 つの学習。{STEPS} ステップで距離は、学習率 {LOW:g} なら {short(_grown(low))} 倍、{HIGH:g} なら "
        f"{short(_grown(high))} 倍。"
        f"{HIGHEST:g} では隠れ層が死に、{N_HIDDEN} 個中 {constant} 個が沈黙する",
    )


def _text(seen: Seen) -> tuple[Sentence, ...]:
    growth = seen.growth
    high, dead = seen.pairs[HIGH], seen.pairs[HIGHEST]
    spread = float(dead.spread[-1, 0])
    return (
        Sentence(
            f"At {HIGH:g} the pair parts like two days' weather: by exp({short(growth.rate)}) per step from step {growth.start} to "
            f"{growth.end} (R² {short(growth.r2)}). "
            f"Over {INITIALISATIONS} initialisations {len(seen.rates)} show such a stretch, {short(float(seen.rates.mean()))} ± "
            f"{short(float(seen.rates.std()))} per step. "
            f"And yet it learns: {high.accuracy[0]:.0%} of the flowers are right after {STEPS} steps.",
            f"学習率 {HIGH:g} では、よく似た 2 日の天気のように 2 つは分かれていきます。ステップ {growth.start} から {growth.end} まで 1 ステップごとに "
            f"exp({short(growth.rate)}) 倍（R² {short(growth.r2)}）。{INITIALISATIONS} 通りの初期値のうち {len(seen.rates)} 通りでこうした区間があり、"
            f"増大率は {short(float(seen.rates.mean()))} ± {short(float(seen.rates.std()))} です。それでも学習は進み、{STEPS} "
            f"ステップで花の {high.accuracy[0]:.0%} を当てます。",
        ),
        Sentence(
            f"At {HIGHEST:g} the storm is soon over, and not because training settles: {dead.saturated[-1, 0]:.0%} of the hidden outputs are saturated, "
            f"no flower moves any output by more than {short(spread)}, and {dead.accuracy[0]:.0%} are right, as by guessing. What still swings is one answer, "
            f"given to every flower alike. kazami says: “{seen.words[HIGHEST][1].en}”",
            f"学習率 {HIGHEST:g} では嵐はすぐに終わりますが、学習が落ち着いたからではありません。隠れ層の出力の {dead.saturated[-1, 0]:.0%} "
            "が飽和し、どの花を入れても出力の差は"
            f" {short(spread)} 以下、正解率は当て推量並みの {dead.accuracy[0]:.0%} です。揺れ続けているのは、どの花にも同じように返す 1 つの答えだけです。"
            f"kazami の判定：「{seen.words[HIGHEST][1].ja.rstrip('。')}」",
        ),
        Sentence(
            f"At {LOW:g} nothing explodes, but the pair does not close up either: {short(_grown(seen.long))} times the first distance after {LONG} steps, "
            "as on a valley floor, along which nothing pulls.",
            f"学習率 {LOW:g} では爆発しませんが、2 つが寄り合うこともありません。{LONG} ステップ後の距離は最初の {short(_grown(seen.long))} 倍です。"
            "点ではなく谷底にいるかのようで、谷に沿って引き戻す力がありません。",
        ),
        Sentence(
            f"Mind the limits: growth must end (here at a distance of about {short(seen.settled)}), so the rate holds for its window only, "
            "and it depends on ε.",
            f"注意：増大はいつか頭打ちになります（ここでは距離 {short(seen.settled)} あたり）。増大率は上の区間だけのもので、ε にも依存します。",
        ),
    )


def _lines(seen: Seen, language: str, width: int) -> list[str]:
    """Return a line a learning rate: the logarithm of the distance as bars on one scale, and what the hidden layer does."""
    every = STEPS // (30 if width > 90 else 20)
    scale = [math.log10(pair.distance[0, 0]) for pair in seen.pairs.values()] + [math.log10(pair.distance.max()) for pair in seen.pairs.values()]
    lines = []
    for rate, pair in seen.pairs.items():
        logs = np.log10(pair.distance[::every, 0]).tolist()
        bars = spark([min(scale), max(scale), *logs])[2:]
        share, dead = f"{pair.saturated[-1, 0]:.0%}", int(pair.constant[-1, 0])
        words = Sentence(
            f"{short(float(pair.distance[0, 0]))} → {short(float(pair.distance[-1, 0])):8}saturated {share:>4}, silent {dead}/{N_HIDDEN}",
            f"{short(float(pair.distance[0, 0]))} → {short(float(pair.distance[-1, 0])):8}飽和 {share:>4}、沈黙 {dead}/{N_HIDDEN}",
        )
        lines.append(f"η={rate:<4g} {bars} {words.in_language(language)}")
    return lines


# ---- pictures

NAMES = {rate: Sentence(f"learning rate {rate:g}", f"学習率 {rate:g}") for rate in (LOW, HIGH, HIGHEST)}
WORDS = {name.en: name.ja for name in NAMES.values()} | {
    "step": "ステップ",
    "distance of the two trainings": "2 つの学習の距離",
    "saturated hidden outputs, %": "飽和した隠れ層の出力（%）",
}


def _distance_picture(seen: Seen) -> Picture:
    growth = seen.growth
    title = Sentence(
        f"At rate {HIGH:g} the distance grows {short(math.exp(growth.rate))}-fold per step, until it has nowhere to grow",
        f"学習率 {HIGH:g} では 1 ステップごとに距離が {short(math.exp(growth.rate))} 倍になり、やがて頭打ちになる",
    )
    notice = Sentence(
        f"The grey line is the fitted stretch, steps {growth.start} to {growth.end}: straight on a logarithmic axis means exponential.",
        f"灰色の線が当てはめた区間（ステップ {growth.start}〜{growth.end}）。対数軸で直線なら指数的な増大です。",
    )
    return Picture(
        title=title,
        notice=notice,
        draw=lambda language: figure_svg(_draw(seen, "distance"), title, WORDS, language),
        table=_table(seen, "distance", lambda value: short(value)),
    )


def _hidden_picture(seen: Seen) -> Picture:
    dead = seen.pairs[HIGHEST]
    silent = np.flatnonzero(dead.saturated[:, 0] > 0.95)
    since = int(silent[0]) if silent.size else STEPS
    title = Sentence(
        f"At rate {HIGHEST:g} the hidden layer is saturated from step {since}; what looks like turbulence is a dead layer",
        f"学習率 {HIGHEST:g} の隠れ層はステップ {since} から飽和。乱流に見えるものの正体は死んだ層",
    )
    notice = Sentence(
        "A saturated output lies where the sigmoid is flat (slope below 5 % of its greatest): no gradient passes.",
        "飽和した出力はシグモイドの平らな部分にあり（傾きが最大の 5 % 未満）、勾配が通りません。",
    )
    return Picture(
        title=title,
        notice=notice,
        draw=lambda language: figure_svg(_draw(seen, "saturated"), title, WORDS, language),
        table=_table(seen, "saturated", lambda value: f"{value:.0%}"),
    )


def _draw(seen: Seen, what: str) -> Any:
    figure, axes = new_figure(width=4.2, height=3.3)
    with drawing():
        for place, (rate, pair) in enumerate(seen.pairs.items()):
            values = getattr(pair, what)[:, 0] * (100 if what == "saturated" else 1)
            axes.plot(np.arange(len(values)), values, color=SERIES[place], linestyle=DASHES[place], label=NAMES[rate].en)
        axes.set_xlabel("step")
        if what == "distance":
            steps = np.array([seen.growth.start, seen.growth.end])
            axes.plot(steps, seen.growth.level * np.exp(seen.growth.rate * (steps - steps[0])), color=MUTED, linewidth=5, alpha=0.45, solid_capstyle="round")
            axes.set_yscale("log")
            axes.set_ylabel("distance of the two trainings")
        else:
            axes.set_ylim(-4, 104)
            axes.set_ylabel("saturated hidden outputs, %")
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def _table(seen: Seen, what: str, shown: Any) -> Table:
    rows = range(0, STEPS + 1, 25)
    cells = tuple((str(row), *(shown(float(getattr(pair, what)[row, 0])) for pair in seen.pairs.values())) for row in rows)
    return Table((Sentence("step", "ステップ"), *NAMES.values()), cells)
