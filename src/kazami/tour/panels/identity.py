"""Panel 2: the identity. Plain and residual networks of growing depth, on digits and on the task of doing nothing."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ...records import Check, Sentence
from ...reports.figures import drawing, new_figure
from ...reports.numerals import short
from .._base import AbstractPanel, Deeper, PanelResult, Picture, Report, Table
from ..cure_wall import percent
from ..depth_pairs import RATE, STEPS, Depth, Task, train_depth
from ..markup import figure_svg
from ..weather_picture import spark

DEPTHS = (4, 16, 48)
KINDS = ((False, Sentence("plain", "素の網")), (True, Sentence("residual", "残差つき")))
COLOURS = {False: "#d55e00", True: "#0b5c7a"}  # two of reports.figures.SERIES: what must be told apart here is with and without
STYLES = {DEPTHS[0]: (0, (1, 1.5)), DEPTHS[1]: (0, (5, 2)), DEPTHS[2]: "-"}
Nets = dict[tuple[Task, int, bool], Depth]


class Identity(AbstractPanel):
    """Depth without a way around the layers makes a network worse, even where doing nothing would be enough; with one it does not."""

    name: ClassVar = "identity"
    number: ClassVar = 2
    topic: ClassVar = Sentence("The identity", "恒等写像")

    def compute(self, report: Report) -> PanelResult:
        """Train both kinds at three depths, on the digits and on the identity."""
        nets: Nets = {}
        tasks: tuple[Task, ...] = ("digits", "identity")
        for task in tasks:
            for depth in DEPTHS:
                report(
                    Sentence(
                        f"{depth} layers on the {task}" if task == "digits" else f"{depth} layers on doing nothing",
                        f"{depth} 層（{'数字' if task == 'digits' else '何もしない課題'}）",
                    )
                )
                for is_residual, _ in KINDS:
                    nets[task, depth, is_residual] = train_depth(depth, is_residual=is_residual, task=task)
        return PanelResult(
            name=self.name,
            number=self.number,
            topic=self.topic,
            finding=_finding(nets),
            text=_text(nets),
            pictures=(_loss_picture(nets), _identity_picture(nets)),
            lines=lambda language, width, colour: _lines(nets, language, width),
            numbers={"steps": STEPS, "learning_rate": RATE, "networks": [_numbers(task, net) for (task, _, _), net in nets.items()]},
            checks=_checks(nets),
            deeper=(
                Deeper(
                    "kazami lab run degradation", Sentence("plain, residual and dense networks up to 200 layers", "素の網・残差・密結合を 200 層まで比べる")
                ),
                Deeper("kazami lab run identity-task", Sentence("the task of doing nothing, in full", "何もしない課題をくわしく")),
                Deeper("kazami lab run residual-scaling", Sentence("why branches are scaled by the root of their number", "枝を本数の平方根で割る理由")),
            ),
        )


def _numbers(task: Task, net: Depth) -> dict[str, Any]:
    return {
        "task": task,
        "depth": net.depth,
        "is_residual": net.is_residual,
        "loss": net.loss,
        "train_score": net.train,
        "test_score": net.test,
        "first_layer_gradient_norm": net.first_gradient,
        "branch_share": net.branch,
    }


def _checks(nets: Nets) -> tuple[Check, ...]:
    shallow, deep = DEPTHS[0], DEPTHS[-1]
    source = "He, Zhang, Ren and Sun 2016, arXiv 1512.03385, figure 1 and section 4.1"
    return (
        Check(
            f"training loss of the plain network, {deep} layers over {shallow}",
            measured=nets["digits", deep, False].loss / nets["digits", shallow, False].loss,
            expected=1.0,
            kind="at_least",
            source=source,
            name_ja=f"素の網の訓練損失：{deep} 層 ÷ {shallow} 層",
        ),
        Check(
            f"training loss at {deep} layers, residual over plain",
            measured=nets["digits", deep, True].loss / nets["digits", deep, False].loss,
            expected=1.0,
            kind="at_most",
            source=source,
            name_ja=f"{deep} 層の訓練損失：残差つき ÷ 素の網",
        ),
    )


def _finding(nets: Nets) -> Sentence:
    plain, residual = ([percent(nets["digits", depth, kind].train) for depth in (DEPTHS[0], DEPTHS[-1])] for kind in (False, True))
    return Sentence(
        f"From {DEPTHS[0]} to {DEPTHS[-1]} layers a plain network's training accuracy falls from {plain[0]} to {plain[1]}; "
        f"with a way around its layers it goes "
        f"from {residual[0]} to {residual[1]}",
        f"{DEPTHS[0]} 層から {DEPTHS[-1]} 層へ深くすると、素の網の訓練正解率は {plain[0]} から {plain[1]} へ。近道があれば {residual[0]} から {residual[1]} へ",
    )


def _text(nets: Nets) -> tuple[Sentence, ...]:
    deep = DEPTHS[-1]
    plain, residual = nets["digits", deep, False], nets["digits", deep, True]
    nothing = {kind: nets["identity", deep, kind] for kind in (False, True)}
    return (
        Sentence(
            "output = f(x) + x. If a deeper network is worse than a shallow one already on its training data, that is no over-fitting: its "
            "extra layers would only have to "
            "hand on what they get, and do not learn even that.",
            "出力 = f(x) + x。深い網が、訓練データの上ですでに浅い網に負けるなら、それは過学習ではありません。"
            "余分な層は受け取ったものをそのまま渡せばよいのに、それすら学べていないのです。",
        ),
        Sentence(
            f"So give them nothing else to do: output = input. {deep} plain layers reach {percent(nothing[False].test)} of it on digits they never saw, "
            f"{deep} with the identity beside them {percent(nothing[True].test)}. A clear pane is hard to build from {deep} lenses; the "
            "shortcut is one already.",
            f"そこで「入力をそのまま出力せよ」とだけ命じてみます。未見の数字で再現できた割合は、素の {deep} 層で {percent(nothing[False].test)}、"
            f"恒等写像を添えた {deep} 層で {percent(nothing[True].test)}。{deep} 枚のレンズを重ねて素通しのガラスを作るのは難しく、近道は初めから素通しです。",
        ),
        Sentence(
            f"The gradient in the first layer is no ghost even in the plain network: {short(plain.first_gradient)} at the first step, "
            f"{short(residual.first_gradient)} with shortcuts. "
            "He initialisation takes care of that, and still it degrades. After training a residual block adds about "
            f"{short(residual.branch)} of what passes through it: it learns the difference only.",
            f"素の網でも、最初の層の勾配が消えているわけではありません（最初のステップで {short(plain.first_gradient)}、近道ありで "
            f"{short(residual.first_gradient)}）。"
            "He 初期化が支えていても、なお劣化するのです。学習後の残差ブロックが加えるのは、通り抜ける信号のおよそ "
            f"{short(residual.branch)} 倍。差分だけを学んでいます。",
        ),
    )


def _lines(nets: Nets, language: str, width: int) -> list[str]:
    """Return two lines a kind of network: the training loss as bars at each depth, with the training accuracy; and the identity."""
    lines = []
    for is_residual, name in KINDS:
        parts = []
        for depth in DEPTHS:
            net = nets["digits", depth, is_residual]
            bars = spark([0.0, math.log(10), *_smoothed(net, 10 if width > 90 else 6)])[2:]
            parts.append(f"{depth:2} {bars} {percent(net.train):>4}")
        word = Sentence("identity", "恒等").in_language(language)
        parts.append(f"{word} {percent(nets['identity', DEPTHS[-1], is_residual].test):>4}")
        label = name.in_language(language)
        lines.append(f"{label}{' ' * (9 - sum(2 if ord(letter) > 255 else 1 for letter in label))} {'  '.join(parts)}")
    return lines


def _smoothed(net: Depth, n_points: int) -> list[float]:
    return [float(part.mean()) for part in np.array_split(np.array(net.losses), n_points)]


# ---- pictures


def _loss_picture(nets: Nets) -> Picture:
    deep = DEPTHS[-1]
    plain, residual = nets["digits", deep, False].loss, nets["digits", deep, True].loss
    title = Sentence(
        f"{deep} layers: training loss {short(plain)} without a way around, {short(residual)} with one",
        f"{deep} 層の訓練損失：近道なし {short(plain)}、近道あり {short(residual)}",
    )
    notice = Sentence(
        "The deeper the plain network (orange), the worse it learns; the residual ones (blue) hardly care.",
        "素の網（橙）は深いほど学べなくなり、残差つき（青）は深さにほとんど左右されません。",
    )
    header = (
        Sentence("network", "網"), Sentence("training loss", "訓練損失"), Sentence("training accuracy", "訓練正解率"),
        Sentence("held-out accuracy", "未見データの正解率"), Sentence("gradient in the first layer, first step", "最初の層の勾配（最初のステップ）"),
    )  # fmt: skip
    rows = _rows(nets, "digits", lambda net: (short(net.loss), percent(net.train), percent(net.test), short(net.first_gradient)))
    return Picture(title=title, notice=notice, draw=lambda language: figure_svg(_draw_losses(nets), title, _words(), language), table=Table(header, rows))


def _identity_picture(nets: Nets) -> Picture:
    deep = DEPTHS[-1]
    missed = {kind: 1 - nets["identity", deep, kind].test for kind in (False, True)}
    title = Sentence(
        f"Doing nothing, {deep} layers deep: {percent(missed[False])} lost without a way around, {percent(missed[True])} with one",
        f"{deep} 層で「何もしない」：近道なしでは {percent(missed[False])} が失われ、近道ありでは {percent(missed[True])}",
    )
    notice = Sentence(
        "How much of the input's variance is missing in the output, on held-out digits. Lower is better; the axis is logarithmic.",
        "入力の分散のうち出力で失われた割合（未見の数字）。低いほど良く、縦軸は対数です。",
    )
    header = (Sentence("network", "網"), Sentence("explained, training", "再現（訓練）"), Sentence("explained, held out", "再現（未見）"))
    rows = _rows(nets, "identity", lambda net: (percent(net.train), percent(net.test)))
    return Picture(title=title, notice=notice, draw=lambda language: figure_svg(_draw_identity(nets), title, _words(), language), table=Table(header, rows))


def _rows(nets: Nets, task: Task, cells: Callable[[Depth], tuple[str, ...]]) -> tuple[tuple[Sentence | str, ...], ...]:
    return tuple((_named(depth, is_residual), *cells(nets[task, depth, is_residual])) for depth in DEPTHS for is_residual, _ in KINDS)


def _named(depth: int, is_residual: bool) -> Sentence:
    name = dict(KINDS)[is_residual]
    return Sentence(f"{name.en}, {depth} layers", f"{name.ja} {depth} 層")


def _words() -> dict[str, str]:
    lines = {_named(depth, kind).en: _named(depth, kind).ja for depth in DEPTHS for kind, _ in KINDS}
    names = {name.en: name.ja for _, name in KINDS}
    return lines | names | {"step": "ステップ", "training loss": "訓練損失", "layers": "層の数", "share of the input that is lost": "失われた入力の割合"}


def _draw_losses(nets: Nets) -> Any:
    figure, axes = new_figure(width=4.2, height=3.4)
    with drawing():
        for is_residual, _ in KINDS:
            for depth in DEPTHS:
                points = _smoothed(nets["digits", depth, is_residual], 30)
                steps = (np.arange(30) + 0.5) * STEPS / 30
                axes.plot(steps, points, color=COLOURS[is_residual], linestyle=STYLES[depth], label=_named(depth, is_residual).en)
        axes.set_xlabel("step")
        axes.set_ylabel("training loss")
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def _draw_identity(nets: Nets) -> Any:
    figure, axes = new_figure(width=4.2, height=3.4)
    with drawing():
        for (is_residual, name), marker in zip(KINDS, "so", strict=True):
            lost = [max(1 - nets["identity", depth, is_residual].test, 1e-6) for depth in DEPTHS]
            axes.plot(DEPTHS, lost, color=COLOURS[is_residual], linestyle="-" if is_residual else (0, (5, 2)), marker=marker, label=name.en)
        axes.set_yscale("log")
        axes.set_xticks(DEPTHS)
        axes.set_xlabel("layers")
        axes.set_ylabel("share of the input that is lost")
        figure.legend(loc="outside lower center", ncols=2)
    return figure
