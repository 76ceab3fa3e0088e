"""Panel 1: a deep network in the calm and in the storm, and every cure applied alone."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ...records import Check, Sentence
from ...reports.figures import DASHES, MUTED, SERIES, drawing, new_figure
from ...reports.numerals import fraction, short
from ...reports.wrapping import pad, width_of
from .._base import AbstractPanel, Deeper, PanelResult, Picture, Report, Table
from ..cure_trials import Trial, Trials, try_all
from ..cure_wall import cure_wall, percent
from ..deep_net import HIDDEN, STEPS, STORM_GAIN, Outcome
from ..markup import figure_svg, joined_words
from ..weather_picture import large_map, spark, strip

MOST = 0.25  # the largest derivative of 1 / (1 + exp(-x)), at 0
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class CalmAndStorm(AbstractPanel):
    """What ten sigmoid layers leave of a gradient, what too large weights make of it, and which cures suffice alone."""

    name: ClassVar = "calm_and_storm"
    number: ClassVar = 1
    topic: ClassVar = Sentence("Calm and storm", "無風と暴風")

    def compute(self, report: Report) -> PanelResult:
        """Train the network without a cure and with each of them, in the calm and in the storm."""
        trials = try_all(lambda cure: report(cure.name))
        calm, storm = _outcomes(trials.none)
        return PanelResult(
            name=self.name,
            number=self.number,
            topic=self.topic,
            finding=_finding(trials, calm),
            text=_text(trials, calm, storm),
            pictures=(_map_picture(calm, calm.title), _map_picture(trials.outbreak, trials.outbreak.title), _profile_picture(trials)),
            blocks=(lambda: cure_wall(trials),),
            lines=lambda language, width, colour: _lines(trials, language, width, colour),
            numbers=_numbers(trials),
            checks=_checks(trials),
            deeper=(
                Deeper(
                    "kazami demo", Sentence("watch such a network fail, with verdict and report", "こうした網が学習に失敗する様子を、判定とレポートつきで見る")
                ),
                Deeper("kazami run train.py", Sentence("the same look at your own training", "ご自分の学習を同じ目で見る")),
                Deeper("kazami lab run depth-calm-and-storm", Sentence("calm and storm against the closed forms", "無風と暴風を理論式と比べる")),
            ),
        )


def _outcomes(trial: Trial) -> tuple[Outcome, Outcome]:
    if trial.calm is None or trial.storm is None:
        raise ValueError("what is done without a cure is done in both weathers")
    return trial.calm, trial.storm


# ---- numbers


def hidden_share(outcome: Outcome) -> float:
    """Return the gradient in the first hidden layer over that in the last: what its nine steps back leave, or make, of it."""
    return outcome.gradients[0] / outcome.gradients[HIDDEN - 1]


def factor_a_layer(outcome: Outcome) -> float:
    """Return the factor by which a gradient changes from one hidden layer to the one before it, the geometric mean."""
    return float(hidden_share(outcome) ** (1 / (HIDDEN - 1)))


def _numbers(trials: Trials) -> dict[str, Any]:
    def one(outcome: Outcome | None) -> dict[str, Any] | None:
        if outcome is None:
            return None
        return {
            "accuracy": outcome.accuracy,
            "wind": outcome.wind.word,
            "finding": outcome.finding,
            "mark": trials.mark(outcome),
            "factor_per_layer": factor_a_layer(outcome),
            "gradient_rms_by_layer": list(outcome.gradients),
        }

    cures = {trial.cure.name.en: {"calm": one(trial.calm), "storm": one(trial.storm)} for trial in (trials.none, *trials.all)}
    return {"layers": HIDDEN, "steps": STEPS, "accuracy_without_hidden_layers": trials.shallow, "bound": MOST**HIDDEN, "cures": cures}


def _checks(trials: Trials) -> tuple[Check, ...]:
    xavier = next(trial.calm for trial in trials.all if trial.cure.name.en.startswith("Xavier") and trial.calm is not None)
    return (
        Check(
            "gradient kept per sigmoid layer, Xavier weights",
            measured=factor_a_layer(xavier),
            expected=MOST,
            kind="at_most",
            source="the largest derivative of a sigmoid, weights of gain 1",
            name_ja="シグモイド 1 層あたりに残る勾配（Xavier）",
        ),
    )


# ---- words


def _finding(trials: Trials, calm: Outcome) -> Sentence:
    good = [cure.name for cure in trials.alone("calm", "✓")]
    tried = len(trials.alone("calm", "✓", "◐", "✗"))
    left = fraction(calm.gradients[0] / calm.gradients[-1])
    names = joined_words(good)
    if not good:
        return Sentence(
            f"{left} of the gradient survives from the last of {HIDDEN} sigmoid layers to the first, and of {tried} cures none suffices alone",
            f"シグモイド {HIDDEN} 層の最後から最初まで戻って残る勾配は {left}。{tried} 種の治療のうち、単独で足りるものはない",
        )
    return Sentence(
        f"{left} of the gradient survives from the last of {HIDDEN} sigmoid layers to the first; "
        f"of {tried} cures only {names.en} {'suffices' if len(good) == 1 else 'suffice'} alone",
        f"シグモイド {HIDDEN} 層の最後から最初まで戻って残る勾配は {left}。{tried} 種の治療のうち、単独で足りるのは{names.ja}だけ",
    )


def _text(trials: Trials, calm: Outcome, storm: Outcome) -> tuple[Sentence, ...]:
    power = f"{MOST:g}{str(HIDDEN).translate(RAISED)}"
    lost = _first_loss_of_numbers(storm)
    return (
        Sentence(
            "When a thermal gradient is gone, the wind dies down. When the gradient of the loss is gone, learning does. A sigmoid's slope "
            f"is {MOST:g} at most, "
            f"so {HIDDEN} of them pass on {power} ≈ {short(MOST**HIDDEN)} at best unless large weights make up for it. "
            "PyTorch's small first weights take their own share: "
            f"each layer keeps {short(factor_a_layer(calm))}.",
            f"熱勾配が消えれば風がやむように、損失の勾配が消えれば学習は止まります。シグモイドの傾きは最大でも {MOST:g} ですから、{HIDDEN} 層では、"
            "大きな重みが補わないかぎり "
            f"{power} ≈ {short(MOST**HIDDEN)} 以下しか伝わりません。PyTorch 既定の小さな初期重みがさらに削り、1 層ごとに残るのは "
            f"{short(factor_a_layer(calm))} 倍です。",
        ),
        Sentence(
            f"kazami's verdict on the calm: “{calm.verdict.en}” On the storm, the same network with ReLU and first weights {STORM_GAIN:g} times those of He: "
            f"“{storm.verdict.en}”{lost.en}",
            f"無風の網への kazami の判定は「{_unstopped(calm)}」です。暴風のほう（同じ網を ReLU にし、初期重みを He の {STORM_GAIN:g} 倍にしたもの）は"
            f"「{_unstopped(storm)}」です。{lost.ja}",
        ),
        _contrast(trials),
    )


def _unstopped(outcome: Outcome) -> str:
    return outcome.verdict.ja.rstrip("。")


def _first_loss_of_numbers(storm: Outcome) -> Sentence:
    steps = [finding.step for finding in storm.findings if finding.wind >= 3]
    if not steps:
        return Sentence("", "")
    return Sentence(f" At step {min(steps)} its numbers overflow.", f"ステップ {min(steps)} で早くも数があふれます。")


def _contrast(trials: Trials) -> Sentence:
    """Return what tells the two weathers apart: cures that do something in one of them only."""
    calm, storm = (set(trials.alone(weather, "✓", "◐")) for weather in ("calm", "storm"))
    tried = {trial.cure for trial in trials.all if trial.calm is not None and trial.storm is not None}
    here, there = (
        joined_words([trial.cure.name for trial in trials.all if trial.cure in tried & one - other]) for one, other in ((calm, storm), (storm, calm))
    )
    both = joined_words([trial.cure.name for trial in trials.all if trial.cure in tried & calm & storm])
    return Sentence(
        f"A cure belongs to its weather. Only in the calm help: {here.en}. Only in the storm: {there.en}. In both: {both.en}.",
        f"治療には向き不向きがあります。無風でだけ効くもの：{here.ja}。暴風でだけ効くもの：{there.ja}。どちらにも効くもの：{both.ja}。",
    )


# ---- on the terminal


def _lines(trials: Trials, language: str, width: int, colour: bool) -> list[str]:
    """Return two rows of a table, calm and storm, a column a cure; before each the layers, input first: their weather in colour, else their gradients."""
    calm, storm = _outcomes(trials.none)
    columns = _that_fit(trials, language, width - 6 - HIDDEN - 2)
    words = [pad(word.in_language(language), 6) for word in (Sentence("", ""), Sentence("calm", "無風"), Sentence("storm", "暴風"))]
    if colour:
        profiles = [" " * HIDDEN, *(strip(one.weather[:HIDDEN, 0].tolist(), colour=True) for one in (calm, storm))]
    else:
        profiles = [" " * HIDDEN, *(spark([math.log(value) if value > 0 else math.nan for value in one.gradients[:HIDDEN]]) for one in (calm, storm))]
    lines = [word + profile + "  " for word, profile in zip(words, profiles, strict=True)]
    for column in columns:
        lines = [line + pad(text, _width(column)) for line, text in zip(lines, column, strict=True)]
    return [line.rstrip() for line in lines]


def _that_fit(trials: Trials, language: str, room: int) -> list[list[str]]:
    """Return the columns of the table; where there is no room for all, those go first whose cures did the least (the page shows all)."""
    shown = [trials.none, *trials.all]
    columns = [[trial.cure.brief.in_language(language), _brief(trials, trial.calm), _brief(trials, trial.storm)] for trial in shown]
    merits = [sum({"✓": 2, "◐": 1}.get(trials.mark(outcome), 0) for outcome in (trial.calm, trial.storm)) for trial in shown]
    by_merit = sorted(range(1, len(shown)), key=lambda number: (merits[number], -number))
    while by_merit and sum(map(_width, columns)) - 2 > room:
        dropped = by_merit.pop(0)
        columns[dropped] = []
    return [column for column in columns if column]


def _width(column: list[str]) -> int:
    return max(map(width_of, column)) + 2 if column else 0


def _brief(trials: Trials, outcome: Outcome | None) -> str:
    return "–" if outcome is None else f"{trials.mark(outcome)} {percent(outcome.accuracy)}"


# ---- the pictures


def _map_picture(outcome: Outcome, title: Sentence) -> Picture:
    notice = Sentence(
        f"{outcome.wind.word.capitalize()}: each row a layer, the input at the bottom; each column a step. The colour is the layer wind, "
        "log₁₀(‖∂L/∂W‖·‖W‖/L₀).",
        f"{outcome.wind.word_ja}：1 行が 1 つの層（下が入力側）、横がステップ。色は層の風 log₁₀(‖∂L/∂W‖·‖W‖/L₀) です。",
    )
    first, last = outcome.steps[0], outcome.steps[-1]
    header = (Sentence("layer", "層"), Sentence(f"wind, step {first}", f"風（ステップ {first}）"), Sentence(f"wind, step {last}", f"風（ステップ {last}）"))
    rows = tuple((name, short(float(winds[0])), short(float(winds[-1]))) for name, winds in zip(outcome.names, outcome.weather, strict=True))
    return Picture(
        title=title,
        notice=notice,
        draw=lambda language: large_map(outcome.weather, outcome.names, outcome.steps, title, language),
        table=Table(header, rows),
    )


def _profile_picture(trials: Trials) -> Picture:
    calm, storm = _outcomes(trials.none)
    by_name = {trial.cure.name.en: trial.calm for trial in trials.all}
    shown = [
        (Sentence("sigmoid", "シグモイド"), calm),
        (Sentence("sigmoid, Xavier", "シグモイド、Xavier"), by_name["Xavier initialisation"]),
        (Sentence("sigmoid, residual", "シグモイド、残差"), by_name["residual connections"]),
        (Sentence("ReLU, He", "ReLU、He"), by_name["ReLU + He"]),
        (Sentence("storm", "暴風"), storm),
    ]
    lines = [(name, _relative(outcome)) for name, outcome in shown if outcome is not None]
    bound = [MOST ** (HIDDEN - layer) for layer in range(1, HIDDEN + 1)]
    title = Sentence(
        f"One sigmoid layer keeps {short(factor_a_layer(calm))} of the gradient, {HIDDEN - 1} keep {short(hidden_share(calm))}",
        f"シグモイド 1 層で勾配は {short(factor_a_layer(calm))} 倍、{HIDDEN - 1} 層では {short(hidden_share(calm))} 倍",
    )
    notice = Sentence(
        "Read from right to left, as backpropagation runs. "
        f"The dotted line is {MOST:g} per layer, the most a sigmoid's slope lets through where weights have gain 1.",
        f"逆伝播の向き、右から左へ読みます。点線は 1 層あたり {MOST:g} 倍、重みの利得が 1 のときシグモイドが通せる上限です。",
    )
    words = {name.en: name.ja for name, _ in lines} | {
        "layer": "層",
        "gradient, relative to layer 10": "勾配（第 10 層を 1 とする）",
        "0.25 per layer": "1 層 0.25 倍",
    }
    return Picture(title=title, notice=notice, draw=lambda language: figure_svg(_draw(lines, bound), title, words, language), table=_table(lines, bound))


def _relative(outcome: Outcome) -> list[float]:
    last = outcome.gradients[HIDDEN - 1]
    return [value / last if last > 0 and math.isfinite(last) else math.nan for value in outcome.gradients[:HIDDEN]]


def _draw(lines: Sequence[tuple[Sentence, list[float]]], bound: list[float]) -> Any:
    figure, axes = new_figure(width=4.2, height=3.3)
    layers = np.arange(1, HIDDEN + 1)
    with drawing():
        axes.plot(layers, bound, color=MUTED, linestyle=(0, (1, 1.5)), linewidth=2.2)
        axes.annotate("0.25 per layer", (layers[0], bound[0]), (0, 26), textcoords="offset points", color=MUTED)
        for place, (name, values) in enumerate(lines):
            axes.plot(layers, values, color=SERIES[place], linestyle=DASHES[place], marker="os^Dv"[place], markersize=3.5, label=name.en)
        axes.set_yscale("log")
        axes.set_xticks(layers)
        axes.set_xlabel("layer")
        axes.set_ylabel(f"gradient, relative to layer {HIDDEN}")
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def _table(lines: Sequence[tuple[Sentence, list[float]]], bound: list[float]) -> Table:
    header = (Sentence("layer", "層"), Sentence(f"{MOST:g} per layer", f"1 層 {MOST:g} 倍"), *(name for name, _ in lines))
    rows = tuple((str(layer + 1), short(bound[layer]), *(short(values[layer]) for _, values in lines)) for layer in range(HIDDEN))
    return Table(header, rows)
