"""Panel 4: descent on two weights, A over B to F, one learning rate after the other; and what it costs to know the way down."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import nn

from ... import nets
from ...derivatives import NumericComparison, compare_with_numeric, million_weights
from ...derivatives.numeric_result import duration, grouped
from ...records import Check, Sentence
from ...reports.figures import DASHES, MUTED, SERIES, drawing, new_figure
from ...reports.numerals import short
from ...reports.wrapping import width_of
from .._base import AbstractPanel, Deeper, PanelResult, Picture, Report, Table
from ..deep_net import HIDDEN, DeepNet, Setting, data, one_thread
from ..markup import figure_svg
from ..one_neuron import LOCAL_START, PLAIN_START, START, Walk, grid, stationary, walks
from ..weather_picture import spark

FACTORS = (0.1, 1.0, 1.8, 2.3, 5.0)  # learning rate times the greatest curvature at the minimum: 2 is where descent stops being stable
DRAWN = (1.8, 2.3, 5.0)
LONG = 2000  # steps of the walks that go astray
SHOWN = 80  # steps of a walk that the picture shows
BUDGET = 0.8  # seconds a comparison; what is not done by then is extrapolated and marked


@dataclass(frozen=True, slots=True)
class Seen:
    """What was computed.

    Attributes:
        sharpness: The greatest curvature at the minimum.
        descents: From `START`, one walk a factor.
        local: A walk into the local minimum.
        plain: A walk out onto the plain where the neuron never fires.
        costs: Numeric differentiation against backprop, small networks first, the million weights last.
    """

    sharpness: float
    descents: dict[float, Walk]
    local: Walk
    plain: Walk
    costs: tuple[NumericComparison, ...]

    @property
    def limit(self) -> float:
        """The learning rate at which the minimum stops being stable, 2 over the curvature."""
        return 2 / self.sharpness


class Descent(AbstractPanel):
    """One surface, one start, many learning rates: from a crawl over a zig-zag and a cycle to endless wandering; and the price of a gradient."""

    name: ClassVar = "descent"
    number: ClassVar = 4
    topic: ClassVar = Sentence("Descent", "勾配を下る")

    def compute(self, report: Report) -> PanelResult:
        """Walk down the surface of a real neuron, then differentiate four networks in both ways."""
        seen = _see(report)
        return PanelResult(
            name=self.name,
            number=self.number,
            topic=self.topic,
            finding=_finding(seen),
            text=_text(seen),
            pictures=(_surface_picture(seen), _loss_picture(seen), _cost_picture(seen)),
            lines=lambda language, width, colour: _lines(seen, language),
            numbers=_numbers(seen),
            checks=_checks(seen),
            deeper=(
                Deeper(
                    "kazami lab descent --surface four_minima --lr 0.01 --starts 5 -o walks.svg",
                    Sentence("other surfaces, many starts, momentum and Adam", "ほかの曲面、多くの出発点、モメンタムや Adam で"),
                ),
                Deeper("kazami lab gradcheck train.py", Sentence("are the gradients of your own model right?", "ご自分のモデルの勾配が正しいかを調べる")),
                Deeper(
                    "kazami lab surface train.py --plane pca",
                    Sentence("the loss surface of your own training, with its path", "ご自分の学習の損失曲面と、その道筋"),
                ),
                Deeper("kazami lab run numeric-vs-backprop", Sentence("the price of a gradient, in full", "勾配の値段をくわしく")),
            ),
        )


def _see(report: Report) -> Seen:
    report(Sentence("the surface of a neuron with two weights", "重みが 2 つのニューロンの損失曲面"))
    sharpness = max(stationary()[0].eigenvalues)
    descents = walks([START] * len(FACTORS), [factor / sharpness for factor in FACTORS])
    local, plain = walks([LOCAL_START, PLAIN_START], [1 / sharpness] * 2, steps=LONG)
    known, costs = data(), []
    deep = DeepNet(Setting(activation="relu", initialisation="he"))
    with one_thread():
        for model in (nets.mlp("64-2-10", seed=0), nets.mlp("64-16-10", seed=0), deep):
            n = sum(parameter.numel() for parameter in model.parameters())
            report(Sentence(f"numeric derivatives by {n} weights", f"{n} 個の重みで数値微分"))
            costs.append(compare_with_numeric(model, nn.functional.cross_entropy, (known.x[:1], known.y[:1]), methods=("forward", "central"), budget_s=BUDGET))
        report(Sentence("a million weights", "100 万個の重み"))
        costs.append(million_weights(budget_s=BUDGET))
    return Seen(sharpness, dict(zip(FACTORS, descents, strict=True)), local, plain, tuple(costs))


# ---- numbers


def _numbers(seen: Seen) -> dict[str, Any]:
    def one(walk: Walk) -> dict[str, Any]:
        return {"learning_rate": walk.rate, "fate": walk.fate, "period": walk.period, "end": walk.points[-1].tolist(), "loss": float(walk.losses[-1])}

    return {
        "sharpness": seen.sharpness,
        "stability_limit": seen.limit,
        "critical_points": [point.to_dict() for point in stationary()],
        "descents": {f"{factor:g}": one(walk) for factor, walk in seen.descents.items()},
        "local_minimum": one(seen.local),
        "plain": one(seen.plain),
        "costs": [cost.to_dict() for cost in seen.costs],
    }


def _checks(seen: Seen) -> tuple[Check, ...]:
    small = seen.costs[0]
    central = next(cost for cost in small.methods if cost.method == "central")
    beyond = seen.descents[2.3]
    return (
        Check(
            f"relative difference of central differences and backprop, {small.n_weights} weights",
            measured=central.error,
            expected=0.0,
            tolerance=1e-6,
            source="truncation h² and rounding ε/h in float64",
            name_ja=f"中心差分と誤差逆伝播の相対差（重み {small.n_weights} 個）",
        ),
        Check(
            f"passes for {small.n_weights} derivatives by forward differences, counted",
            measured=float(small.methods[0].passes_run),
            expected=float(small.n_weights + 1),
            source="one per weight, and one",
            name_ja=f"前進差分で {small.n_weights} 個の微分に要した計算回数",
        ),
        Check(
            f"distance between two steps at the end, learning rate {short(beyond.rate)} beyond 2/λ",
            measured=float(np.abs(beyond.points[-1] - beyond.points[-2]).max()),
            expected=0.01,
            kind="at_least",
            source="descent is unstable beyond 2 over the curvature",
            name_ja=f"2/λ を超える学習率 {short(beyond.rate)} で、最後の 2 ステップの間の距離",
        ),
    )


# ---- words


def fate_word(walk: Walk) -> Sentence:
    """Return how a walk ended, in a few words."""
    if walk.fate == "cycle":
        return Sentence(f"cycles among {walk.period} points", f"{walk.period} 点を巡り続ける")
    words = {
        "minimum": Sentence("arrives at F", "F に着く"),
        "local minimum": Sentence("ends in the local minimum", "局所解に落ちる"),
        "on the way": Sentence("is still on its way", "まだ途中"),
        "wandering": Sentence("wanders without end", "さまよい続ける"),
    }
    return words[walk.fate]


def _finding(seen: Seen) -> Sentence:
    million = seen.costs[-1]
    passes, back = grouped(million.methods[0].passes), million.backprop.passes
    slow, fast = seen.descents[FACTORS[0]].rate, seen.descents[FACTORS[-1]].rate
    return Sentence(
        f"One valley, one start: the learning rate decides between crawling ({short(slow)}), arriving and wandering ({short(fast)}); "
        f"and the way down costs {passes} passes numerically, {back} by backprop",
        f"同じ谷、同じ出発点。のろのろ進む（学習率 {short(slow)}）か、着くか、さまよう（{short(fast)}）かは学習率が決める。"
        f"下る向きを知る値段は、数値微分なら {passes} 回、誤差逆伝播なら {back} 回の計算",
    )


def _text(seen: Seen) -> tuple[Sentence, ...]:
    lowest = stationary()[0]
    million = seen.costs[-1]
    numeric = million.methods[0]
    return (
        Sentence(
            "One neuron, σ(w₁x + w₂), shall fire for Iris versicolor by the width of a petal: two weights, so its loss can be seen whole. "
            "A descent starts in A, passes B "
            f"where half of the loss there is to lose is gone, and ends in F, the minimum ({short(lowest.loss)}). The curvature there, λ = "
            f"{short(seen.sharpness)}, "
            f"allows learning rates up to 2/λ = {short(seen.limit)}.",
            "花びらの幅から Iris versicolor を見分けて発火するニューロン 1 個、σ(w₁x + w₂)。重みが 2 つなので損失の全体が見えます。A "
            "を出て、減らせる損失の半分を減らした B を過ぎ、"
            f"極小 F（損失 {short(lowest.loss)}）に着きます。F の曲率 λ = {short(seen.sharpness)} が許す学習率は 2/λ = {short(seen.limit)} までです。",
        ),
        Sentence(
            f"Not every start leads there. From the upper left the same rule ends at a loss of {short(float(seen.local.losses[-1]))}: "
            "versicolor is the middle of three species, "
            "one threshold is right about one border only, and each border is a valley. From the upper right it drifts onto a plain "
            f"({short(float(seen.plain.losses[-1]))}) where the neuron "
            "never fires and hardly any gradient blows.",
            f"どこから出ても着くわけではありません。左上から出ると損失 {short(float(seen.local.losses[-1]))} の谷に入ります。versicolor は "
            "3 種の真ん中で、しきい値 1 つでは片側の境しか"
            f"正しく引けず、境ごとに谷があるのです。右上からは、発火も勾配もほとんどない平原（{short(float(seen.plain.losses[-1]))}）へ流れ出ます。",
        ),
        Sentence(
            f"Numerically each weight needs a pass of its own, {grouped(numeric.passes)} for a million weights: {duration(numeric.seconds)} "
            "for a single training example, extrapolated from "
            f"{grouped(numeric.passes_run)} passes that were run. Backprop, measured: {million.backprop.passes} passes, {duration(million.backprop.seconds)}.",
            f"数値微分では重み 1 個ごとに計算が 1 回、100 万個なら {grouped(numeric.passes)} 回。学習例 1 つだけで {duration(numeric.seconds, 'ja')}かかります"
            f"（実測 {grouped(numeric.passes_run)} 回からの外挿）。誤差逆伝播は実測で {million.backprop.passes} 回、"
            f"{duration(million.backprop.seconds, 'ja')}です。",
        ),
    )


def _lines(seen: Seen, language: str) -> list[str]:
    """Return the walks, two a line: the loss as bars, and how each ends; then the price of a gradient."""
    cells = []
    for walk in seen.descents.values():
        bars = spark([float(part.mean()) for part in np.array_split(walk.losses[: SHOWN + 1], 12)])
        cells.append(f"η={short(walk.rate):<5}{bars} {fate_word(walk).in_language(language)}")
    lines = [cells[place] + " " * max(1, 40 - width_of(cells[place])) + "".join(cells[place + 1 : place + 2]) for place in range(0, len(cells), 2)]
    million = seen.costs[-1]
    numeric, back = million.methods[0], million.backprop
    words = Sentence(
        f"{grouped(million.n_weights)} weights: ~{duration(numeric.seconds)} numerically (extrapolated), {duration(back.seconds)} by backprop",
        f"重み {grouped(million.n_weights)} 個：数値微分 ~{duration(numeric.seconds, 'ja')}（外挿）、誤差逆伝播 {duration(back.seconds, 'ja')}",
    )
    return [*(line.rstrip() for line in lines), words.in_language(language)]


# ---- pictures


def _rate_name(walk: Walk) -> Sentence:
    word = fate_word(walk)
    return Sentence(f"η = {short(walk.rate)}: {word.en}", f"η = {short(walk.rate)}：{word.ja}")


def _surface_picture(seen: Seen) -> Picture:
    best = seen.descents[DRAWN[0]]
    title = Sentence(
        f"A walk from A at rate {short(best.rate)} {fate_word(best).en}; two other starts never get there",
        f"A から学習率 {short(best.rate)} で{fate_word(best).ja}。ほかの 2 つの出発点からは着かない",
    )
    notice = Sentence(
        "Contour lines of the exact loss; each mark is a step. Grey: the walks into the local minimum (upper left) and onto the plain "
        "(upper right). Crosses: saddles.",
        "損失の正確な等高線。印 1 つが 1 ステップ、灰色は局所解（左上）と平原（右上）へ向かう道、× は鞍点です。",
    )
    header = (Sentence("point", "点"), Sentence("w₁", "w₁"), Sentence("w₂", "w₂"), Sentence("loss", "損失"))
    kinds = {
        "minimum": Sentence("minimum", "極小"),
        "saddle": Sentence("saddle", "鞍点"),
        "maximum": Sentence("maximum", "極大"),
        "degenerate": Sentence("flat", "平坦"),
    }
    rows = tuple((kinds[point.kind], short(point.w1), short(point.w2), short(point.loss)) for point in stationary())
    words = {_rate_name(seen.descents[factor]).en: _rate_name(seen.descents[factor]).ja for factor in DRAWN} | {"w₁": "w₁"}
    return Picture(title=title, notice=notice, draw=lambda language: figure_svg(_draw_surface(seen), title, words, language), table=Table(header, rows))


def _draw_surface(seen: Seen) -> Any:
    figure, axes = new_figure(width=4.2, height=4.0)
    first, second, values = grid()
    with drawing():
        low = stationary()[0].loss
        axes.contour(first, second, values, levels=low + (values.max() - low) * np.linspace(0.01, 1, 16) ** 1.7, colors=MUTED, linewidths=0.6, alpha=0.7)
        for walk in (seen.local, seen.plain):
            axes.plot(*walk.points[::20].T, color=MUTED, linewidth=2.2, alpha=0.85)
        for place, factor in enumerate(DRAWN):
            walk = seen.descents[factor]
            is_orbit = walk.fate in ("cycle", "wandering")  # its visits are the picture, not the lines between them
            shown = walk.points[SHOWN : 3 * SHOWN] if is_orbit else walk.points[:SHOWN]
            style: Any = "none" if is_orbit else DASHES[place]
            axes.plot(
                *shown.T, color=SERIES[place], linestyle=style, linewidth=1.4, marker="os^"[place], markersize=4 if is_orbit else 2.6, label=_rate_name(walk).en
            )
        for point in stationary():
            axes.plot(point.w1, point.w2, marker="x" if point.kind == "saddle" else "o", color=MUTED, markersize=5)
        best = seen.descents[DRAWN[0]]
        half = (best.losses[0] + best.losses[-1]) / 2
        middle = best.points[int(np.argmax(best.losses < half))]
        for letter, at, shift in (("A", best.points[0], (6, -4)), ("B", middle, (2, -14)), ("F", best.points[-1], (-4, 9))):
            axes.annotate(letter, at, shift, textcoords="offset points", fontsize=13, fontweight="bold")
        axes.set_xlabel("w₁")
        axes.set_ylabel("w₂")
        axes.grid(visible=False)
        figure.legend(loc="outside lower center", ncols=1)
    return figure


def _loss_picture(seen: Seen) -> Picture:
    limit = short(seen.limit)
    title = Sentence(f"Beyond 2/λ = {limit} the minimum is still there, and no longer reached", f"2/λ = {limit} を超えると、極小はそこにあるのに着けなくなる")
    notice = Sentence(
        "The same start, the same surface: crawl, straight, zig-zag, cycle, wandering.",
        "同じ出発点、同じ曲面：のろい歩み、直行、ジグザグ、周期運動、さまよい。",
    )
    header = (
        Sentence("learning rate", "学習率"),
        Sentence("times 2/λ", "2/λ の倍数"),
        Sentence("what becomes of it", "結末"),
        Sentence("loss at the end", "最後の損失"),
    )
    rows = tuple((short(walk.rate), short(factor / 2), fate_word(walk), short(float(walk.losses[-1]))) for factor, walk in seen.descents.items())
    names = {_rate_name(walk).en: _rate_name(walk).ja for walk in seen.descents.values()}
    words = names | {"step": "ステップ", "loss": "損失"}
    return Picture(title=title, notice=notice, draw=lambda language: figure_svg(_draw_losses(seen), title, words, language), table=Table(header, rows))


def _draw_losses(seen: Seen) -> Any:
    figure, axes = new_figure(width=4.2, height=4.0)
    with drawing():
        for place, walk in enumerate(seen.descents.values()):
            axes.plot(walk.losses[: SHOWN + 1], color=SERIES[place], linestyle=DASHES[place], label=_rate_name(walk).en)
        axes.set_xlabel("step")
        axes.set_ylabel("loss")
        figure.legend(loc="outside lower center", ncols=1)
    return figure


def _cost_picture(seen: Seen) -> Picture:
    million = seen.costs[-1]
    times = million.methods[0].seconds / million.backprop.seconds
    title = Sentence(f"A million weights: the same gradient, {short(times)} times the time", f"重み 100 万個：同じ勾配に {short(times)} 倍の時間")
    notice = Sentence(
        f"One training example. Filled: measured. Hollow and dashed: extrapolated. The deep one is the {HIDDEN}-layer network of panel 1.",
        f"学習例 1 つあたり。塗りつぶしは実測、白抜きと破線は外挿です。{grouped(seen.costs[-2].n_weights)} 個はパネル 1 の {HIDDEN} 層の網です。",
    )
    header = (
        Sentence("weights", "重みの数"),
        Sentence("passes, numeric", "計算回数（数値）"),
        Sentence("run", "うち実行"),
        Sentence("time, numeric", "時間（数値）"),
        Sentence("passes, backprop", "計算回数（逆伝播）"),
        Sentence("time, backprop", "時間（逆伝播）"),
        Sentence("relative difference", "相対差"),
    )
    rows = tuple(_cost_row(cost) for cost in seen.costs)
    words = {"weights": "重みの数", "seconds": "秒", "forward differences": "前進差分", "backprop": "誤差逆伝播"}
    return Picture(title=title, notice=notice, draw=lambda language: figure_svg(_draw_costs(seen), title, words, language), table=Table(header, rows))


def _cost_row(cost: NumericComparison) -> tuple[Sentence | str, ...]:
    numeric = cost.methods[0]
    mark = "~" if numeric.is_extrapolated else ""
    time = Sentence(mark + duration(numeric.seconds), mark + duration(numeric.seconds, "ja"))
    back = Sentence(duration(cost.backprop.seconds), duration(cost.backprop.seconds, "ja"))
    return (grouped(cost.n_weights), grouped(numeric.passes), grouped(numeric.passes_run), time, str(cost.backprop.passes), back, short(numeric.error))


def _draw_costs(seen: Seen) -> Any:
    figure, axes = new_figure(width=4.2, height=4.0)
    weights = [cost.n_weights for cost in seen.costs]
    numeric = [cost.methods[0] for cost in seen.costs]
    with drawing():
        axes.plot(weights, [one.seconds for one in numeric], color=SERIES[1], linestyle=DASHES[1], label="forward differences")
        axes.plot(weights, [cost.backprop.seconds for cost in seen.costs], color=SERIES[0], marker="s", label="backprop")
        for n, one in zip(weights, numeric, strict=True):
            axes.plot(n, one.seconds, marker="o", color=SERIES[1], markerfacecolor="none" if one.is_extrapolated else SERIES[1], linestyle="none", markersize=7)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("weights")
        axes.set_ylabel("seconds")
        figure.legend(loc="outside lower center", ncols=2)
    return figure
