"""Panel 3: from one neuron to a deep network, one formula all the way, and what is left of it without its activation."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ... import nets
from ...derivatives.numeric_result import grouped
from ...nets.explained.bipartite import bipartite_svg, n_wires
from ...nets.explained.explanation import SOFTMAX_OF, Explanation
from ...nets.graph import graph as graph_of
from ...records import Check, Sentence
from ...reports.figures import DASHES, MUTED, SERIES, drawing, new_figure
from ...reports.numerals import short
from .._base import AbstractPanel, Deeper, PanelResult, Picture, Report, Table
from ..deep_net import HIDDEN, WIDTH, one_thread
from ..formulas import math, matrix, name, number, shaped, sign
from ..markup import bilingual, figure_svg, said, themed
from ..weather_picture import spark

if TYPE_CHECKING:
    from ...nets.graph.data_flow import Graph

SIZES = (3, 4, 2)
DEEP = (WIDTH,) * (HIDDEN + 1) + (10,)  # the network of the first panel


FIT, FIT_STEPS = "1-16-16-1", 250


@dataclass(frozen=True, slots=True)
class Fits:
    """A wave, and what two networks made of it.

    Attributes:
        x: Points, shape ``(64,)``.
        y: sin x.
        outputs: Of the network with φ, and of the one without.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    outputs: tuple[NDArray[np.float64], NDArray[np.float64]]

    @property
    def errors(self) -> tuple[float, float]:
        """Root-mean-square errors of both."""
        first, second = (float(np.sqrt(np.mean((values - self.y) ** 2))) for values in self.outputs)
        return first, second


def fit_a_wave() -> Fits:
    """Train the same network on sin x twice, with tanh and with the identity in its hidden layers."""
    x = torch.linspace(-np.pi, np.pi, 64, dtype=torch.float64)[:, None]
    y = torch.sin(x)
    outputs = []
    with one_thread(), torch.random.fork_rng(devices=[]):
        for activation in ("tanh", "identity"):
            model = nets.mlp(FIT, activation=activation, seed=0).double()
            optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
            for _ in range(FIT_STEPS):
                optimizer.zero_grad()
                nn.functional.mse_loss(model(x), y).backward()
                optimizer.step()
            outputs.append(model(x).detach().numpy().ravel())
    return Fits(x.numpy().ravel(), y.numpy().ravel(), (outputs[0], outputs[1]))


class NeuronToNetwork(AbstractPanel):
    """Number · number, vector · vector, vector · matrix, layer upon layer: φ(XW+b); and one matrix where φ is missing."""

    name: ClassVar = "neuron_to_network"
    number: ClassVar = 3
    topic: ClassVar = Sentence("Neuron, layer, deep network", "ニューロンから層へ、深い網へ")

    def compute(self, report: Report) -> PanelResult:
        """Compute a small network with live numbers, capture its graph, and collapse it without its activations."""
        report(Sentence("a network of 3-4-2 neurons", "3-4-2 の網"))
        shown = nets.explain(SIZES)
        graph = graph_of(shown.model.eval(), shown.example)
        linear = nn.Sequential(*(module for module in shown.model if isinstance(module, nn.Linear)))
        report(Sentence("the same without activations", "活性化関数を外した網"))
        collapsed = nets.linear_collapse(linear, shown.example)
        report(Sentence("sin x, with activations and without", "sin x を、活性化関数ありとなしで"))
        fits = fit_a_wave()
        product = shown.layers[0].weight @ shown.layers[1].weight
        apart = float("nan") if collapsed is None else float(np.abs(collapsed[0].double().numpy() - product).max())
        return PanelResult(
            name=self.name,
            number=self.number,
            topic=self.topic,
            finding=_finding(shown, collapsed is not None),
            text=_text(shown, apart),
            pictures=(_wires(shown), _graph(shown, graph), _bent(fits), _softmax(shown)),
            blocks=(lambda: _steps(shown),),
            lines=lambda language, width, colour: _lines(shown, apart, language),
            numbers={
                "explanation": shown.to_dict(),
                "collapse_difference": apart,
                "fit_errors": list(fits.errors),
                "deep_network": {"wires": n_wires(DEEP), "blocks": len(DEEP) - 1},
            },
            checks=_checks(shown, apart),
            deeper=(
                Deeper("kazami nets explain 3-4-2", Sentence("every number of this network, in rows and in columns", "この網のすべての数を、行の形と列の形で")),
                Deeper("kazami graph train.py -o net.svg", Sentence("the same drawing of your own model", "ご自分のモデルを同じ図に描く")),
                Deeper(
                    "kazami nets collapse train.py", Sentence("is your deep network secretly one matrix?", "ご自分の深い網が、実は 1 つの行列でないかを調べる")
                ),
            ),
        )


def _checks(shown: Explanation, apart: float) -> tuple[Check, ...]:
    powers = np.exp(np.array(SOFTMAX_OF))
    return (
        Check(
            "greatest difference between the network without φ and the matrix W₁W₂",
            measured=apart,
            expected=0.0,
            tolerance=1e-12,
            source="matrix products are associative",
            name_ja="φ を外した網と行列 W₁W₂ の差の最大",
        ),
        Check(
            "greatest difference between softmax and eᶻ / Σ eᶻ",
            measured=float(np.abs(np.array(shown.softmax) - powers / powers.sum()).max()),
            expected=0.0,
            tolerance=1e-12,
            source="definition, in NumPy",
            name_ja="softmax と eᶻ / Σ eᶻ の差の最大",
        ),
    )


# ---- words


def _finding(shown: Explanation, is_affine: bool) -> Sentence:
    en = f"One formula, φ(XW+b), from a single number to a deep network: {shown.n_wires} wires are {len(shown.layers)} blocks"
    ja = f"1 個の数から深い網まで、式は φ(XW+b) ただ 1 つ。配線 {shown.n_wires} 本はブロック {len(shown.layers)} 個になる"
    if not is_affine:
        return Sentence(en, ja)
    return Sentence(f"{en}, and without φ a single {SIZES[0]}×{SIZES[-1]} matrix", f"{ja}。φ を外せば {SIZES[0]}×{SIZES[-1]} 行列 1 つに潰れる")


def _text(shown: Explanation, apart: float) -> tuple[Sentence, ...]:
    fired = sum(vote.fires for vote in shown.votes)
    return (
        Sentence(
            "A neuron weighs its inputs, adds a bias and lets an activation φ decide. Write the inputs as a row and the neurons as "
            "columns, and the formula of one neuron "
            f"is the formula of a layer; feed its output in again, and it is a deep network. As all-or-nothing neurons, {fired} of these "
            f"{SIZES[1]} would fire.",
            "ニューロンは入力に重みを掛け、バイアスを足し、活性化関数 φ に判断を任せます。入力を行に、ニューロンを列に並べれば、1 "
            "個の式がそのまま層の式になり、"
            f"出力をまた入力にすれば深い網になります。発火するかしないかのしきい値ニューロンとしてなら、この {SIZES[1]} 個のうち {fired} 個が発火します。",
        ),
        Sentence(
            f"Neurons and wires are a fine drawing for {sum(SIZES)} neurons. The network of panel 1 has {grouped(n_wires(DEEP))} wires, but "
            f"{len(DEEP) - 1} blocks: "
            "the data-flow graph draws quantities and operations, and grows with depth only.",
            f"ニューロンと配線の図は {sum(SIZES)} 個なら見やすいものです。しかしパネル 1 の網では配線が {grouped(n_wires(DEEP))} "
            f"本になります。ブロックなら {len(DEEP) - 1} 個。"
            "データフローグラフは量と演算を描くので、深さの分しか増えません。",
        ),
        Sentence(
            f"φ is what makes it deep. Without it {len(shown.layers)} layers are X(W₁W₂) + b, one matrix, and kazami finds it (difference {short(apart)}).",
            f"深さに意味を与えるのは φ です。なければ {len(shown.layers)} 層は X(W₁W₂) + b という 1 つの行列にすぎず、kazami "
            f"はそれを見つけます（差 {short(apart)}）。",
        ),
    )


def _lines(shown: Explanation, apart: float, language: str) -> list[str]:
    one, neuron, layer, last = shown.one_input, shown.neuron, shown.layers[0], shown.layers[-1]
    n, m = SIZES[:2]
    sizes = " ".join(f"{state:g}" for state in SOFTMAX_OF)
    without = Sentence(
        f"without φ: one {SIZES[0]}×{SIZES[-1]} matrix, off by {short(apart)}", f"φ なし：{SIZES[0]}×{SIZES[-1]} 行列 1 つ（差 {short(apart)}）"
    ).in_language(language)
    return [
        f"φ({short(float(one.x[0]))}·{short(float(one.weight[0]))} + {short(one.bias)}) = {short(one.y)}   φ([1×{n}]·[{n}×1] + b) = {short(neuron.y)}",
        f"φ([1×{n}]·[{n}×{m}] + b) = {_row(layer.y)}   φ(φ(XW₁+b₁)W₂+b₂) = {_row(last.y)}",
        f"softmax [{sizes}] = {spark([0.0, *shown.softmax])[1:]}   {without}",
    ]


def _row(values: Any) -> str:
    return "[" + " ".join(short(float(value)) for value in np.ravel(values)) + "]"


# ---- pictures


def _steps(shown: Explanation) -> str:
    """Return the steps from one number to a network as formulas with live numbers, a row each."""
    n, m = SIZES[:2]
    rows = (
        (Sentence("one neuron, one input: number · number", "ニューロン 1 個、入力 1 個：数・数"), _one_number(shown)),
        (Sentence(f"one neuron, {n} inputs: vector · vector", f"ニューロン 1 個、入力 {n} 個：ベクトル・ベクトル"), _one_neuron(shown)),
        (Sentence(f"a layer of {m} neurons: vector · matrix", f"ニューロン {m} 個の層：ベクトル・行列"), _one_layer(shown)),
        (Sentence(f"{len(shown.layers)} layers: the output goes in again", f"{len(shown.layers)} 層：出力がまた入力になる"), _whole(shown)),
    )
    items = "".join(f'<li>{said(words)}<div class="formula" tabindex="0" role="group" data-formula>{formula}</div></li>' for words, formula in rows)
    title = Sentence("Four steps, one formula", "4 つの段階、1 つの式")
    return f'<figure class="wide">{said(title, "h3")}<ol class="steps">{items}</ol></figure>'


PHI = name("φ") + sign("(")
CLOSED = sign(")", "=")


def _one_number(shown: Explanation) -> str:
    one = shown.one_input
    letters = (PHI, name("x"), name("w"), sign("+"), name("b"), CLOSED)
    return math(*letters, PHI, number(one.x[0]), sign("·"), number(one.weight[0]), sign("+"), number(one.bias), CLOSED, number(one.y))


def _one_neuron(shown: Explanation) -> str:
    one, n = shown.neuron, SIZES[0]
    product = shaped(matrix(one.x), (1, n)) + shaped(matrix(one.weight[:, None]), (n, 1))
    return math(PHI, product, sign("+"), number(one.bias), CLOSED, number(one.y))


def _one_layer(shown: Explanation) -> str:
    first, (n, m) = shown.layers[0], SIZES[:2]
    product = shaped(matrix(first.x), (1, n)) + shaped(matrix(first.weight), (n, m))
    return math(PHI, product, sign("+"), shaped(matrix(first.bias), (1, m)), CLOSED, shaped(matrix(first.y), (1, m)))


def _whole(shown: Explanation) -> str:
    inner = PHI + name("X") + name("W", "1") + sign("+") + name("b", "1") + sign(")")
    return math(PHI, inner, name("W", "2"), sign("+"), name("b", "2"), CLOSED, shaped(matrix(shown.layers[-1].y), (1, SIZES[-1])))


def _wires(shown: Explanation) -> Picture:
    title = Sentence(f"Neurons and wires: {shown.n_wires} lines for {sum(SIZES)} neurons", f"ニューロンと配線：{sum(SIZES)} 個に線が {shown.n_wires} 本")
    notice = Sentence(
        "Every neuron is joined to every neuron of the next layer. Thick: large weight; dashed: negative.",
        "各ニューロンは次の層のすべてと結ばれます。太線は大きな重み、破線は負の重みです。",
    )
    weights = [layer.weight for layer in shown.layers]
    header = (Sentence("from", "どこから"), Sentence("to", "どこへ"), Sentence("weight", "重み"))
    rows = tuple(
        (f"{place}.{before + 1}", f"{place + 1}.{after + 1}", short(float(weight[before, after])))
        for place, weight in enumerate(weights, 1)
        for before in range(weight.shape[0])
        for after in range(weight.shape[1])
    )

    def draw(language: str) -> str:
        return bilingual(bipartite_svg(SIZES, label=title.in_language(language), weights=weights), title)

    return Picture(title=title, notice=notice, draw=draw, table=Table(header, rows))


def _graph(shown: Explanation, graph: "Graph") -> Picture:
    title = Sentence(
        f"The data-flow graph of the same network: {len(shown.layers)} blocks φ(XW+b)",
        f"同じ網のデータフローグラフ：ブロック φ(XW+b) が {len(shown.layers)} 個",
    )
    notice = Sentence(
        "Quantities and operations with their shapes, read from the PyTorch module itself. A block opens when it is chosen.",
        "量と演算と形。PyTorch のモジュールそのものから読み取った図です。ブロックは選ぶと開きます。",
    )
    header = (Sentence("block", "ブロック"), Sentence("input", "入力"), Sentence("W", "W"), Sentence("output", "出力"))
    rows = tuple((f"φ(XW+b) {place}", _shape(layer.x), _shape(layer.weight), _shape(layer.y)) for place, layer in enumerate(shown.layers, 1))

    def draw(language: str) -> str:
        del language  # both are there
        return "".join(f'<div lang="{one}" class="{one}">{themed(graph.to_svg(language=one))}</div>' for one in ("en", "ja"))

    return Picture(title=title, notice=notice, draw=draw, table=Table(header, rows))


def _shape(values: Any) -> str:
    return "×".join(map(str, values.shape))


def _bent(fits: "Fits") -> Picture:
    """Return what a network learns of a wave, with φ and without."""
    errors = [short(value) for value in fits.errors]
    title = Sentence(
        f"With φ it learns sin x (error {errors[0]}); without, any depth stays a straight line ({errors[1]})",
        f"φ があれば sin x を学び（誤差 {errors[0]}）、なければ何層あっても直線のまま（{errors[1]}）",
    )
    notice = Sentence(
        f"Twice the same {FIT}-network, {FIT_STEPS} steps each, once with tanh and once with the identity as φ. Error: root mean square.",
        f"同じ {FIT} の網を {FIT_STEPS} ステップずつ。片方は φ = tanh、もう片方は φ = 恒等写像。誤差は二乗平均平方根です。",
    )
    names = (Sentence("sin x", "sin x"), Sentence("with φ", "φ あり"), Sentence("without φ", "φ なし"))
    rows = tuple(tuple(short(float(values[place])) for values in (fits.x, fits.y, *fits.outputs)) for place in range(0, len(fits.x), 7))
    words = {name.en: name.ja for name in names} | {"output": "出力"}
    draw = lambda language: figure_svg(_draw_bent(fits, [name.en for name in names]), title, words, language)  # noqa: E731
    return Picture(title=title, notice=notice, draw=draw, table=Table((Sentence("x", "x"), *names), rows))


def _draw_bent(fits: "Fits", names: list[str]) -> Any:
    figure, axes = new_figure(width=4.2, height=2.9)
    with drawing():
        axes.plot(fits.x, fits.y, color=MUTED, marker="o", markersize=3, linestyle="none", label=names[0])
        for place, values in enumerate(fits.outputs):
            axes.plot(fits.x, values, color=SERIES[place], linestyle=DASHES[place], label=names[place + 1])
        axes.set_xlabel("x")
        axes.set_ylabel("output")
        figure.legend(loc="outside lower center", ncols=3)
    return figure


def _softmax(shown: Explanation) -> Picture:
    states = ", ".join(f"{state:g}" for state in SOFTMAX_OF)
    largest = max(shown.softmax)
    title = Sentence(f"softmax of [{states}]: the largest state takes {largest:.1%}", f"softmax [{states}]：最大の値が {largest:.1%} を取る")
    notice = Sentence(
        "eᶻ / Σ eᶻ turns any numbers into probabilities: equal states get equal shares, and all shares add up to 1.",
        "eᶻ / Σ eᶻ はどんな数の組も確率に変えます。等しい値は等しい割合になり、合計は 1 です。",
    )
    header = (Sentence("state", "値"), Sentence("probability", "確率"))
    rows = tuple((f"{state:g}", f"{value:.4f}") for state, value in zip(SOFTMAX_OF, shown.softmax, strict=True))
    words = {"state": "値", "probability": "確率"}
    return Picture(title=title, notice=notice, draw=lambda language: figure_svg(_draw_softmax(shown), title, words, language), table=Table(header, rows))


def _draw_softmax(shown: Explanation) -> Any:
    figure, axes = new_figure(width=4.2, height=2.9)
    with drawing():
        bars = axes.bar(range(len(SOFTMAX_OF)), shown.softmax, color=SERIES[0], width=0.7)
        axes.bar_label(bars, [f"{value:.3f}" for value in shown.softmax], fontsize=9, padding=2)
        axes.set_xticks(range(len(SOFTMAX_OF)), [f"{state:g}" for state in SOFTMAX_OF])
        axes.set_ylim(0, 1.15 * max(shown.softmax))
        axes.set_xlabel("state")
        axes.set_ylabel("probability")
        axes.grid(False, axis="x")
    return figure
