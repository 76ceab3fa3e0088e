"""Sessions to begin with: each shows one thing."""

from dataclasses import dataclass

from ..records import Sentence
from .specs import Block, Spec


@dataclass(frozen=True, slots=True)
class Preset:
    """A session with a name and a reason.

    Attributes:
        name: For addresses and tests.
        title: What it is.
        notice: What to look at.
        spec: The session.
    """

    name: str
    title: Sentence
    notice: Sentence
    spec: Spec


def deep(depth: int, width: int, activation: str) -> tuple[Block, ...]:
    """Return ``depth`` linear blocks with an activation behind each."""
    return tuple(block for _ in range(depth) for block in (Block("linear", width), Block("activation", name=activation)))


def _residual(depth: int, width: int, activation: str) -> tuple[Block, ...]:
    inside = (Block("linear", width), Block("activation", name=activation))
    return (Block("linear", width), *(Block("residual", blocks=inside) for _ in range(depth)))


PRESETS: tuple[Preset, ...] = (
    Preset(
        "breeze",
        Sentence("A light breeze", "微風"),
        Sentence("A small network that learns: every layer has wind.", "よく学ぶ小さな網。どの層にも風がある。"),
        Spec(task="circles", blocks=deep(2, 8, "tanh"), optimizer="adam", learning_rate=0.02),
    ),
    Preset(
        "vanish",
        Sentence("Vanish: 20 × sigmoid", "消える：シグモイド 20 層"),
        Sentence(
            "The first layers stand still, and the loss stays at that of a guess. Try ReLU, or shortcuts.",
            "最初の方の層は止まったまま、損失は当てずっぽうの値から動かない。ReLU かショートカットを試す。",
        ),
        Spec(task="circles", blocks=deep(20, 16, "sigmoid"), learning_rate=0.1, batch_size=32),
    ),
    Preset(
        "explode",
        Sentence("Explode: 20 × ReLU with large weights", "爆発する：大きな重みの ReLU 20 層"),
        Sentence(
            "The very first step throws the weights away. Try the initialisation of He, or clipping.",
            "最初の一歩で重みが吹き飛ぶ。He の初期値か、勾配の切り詰めを試す。",
        ),
        Spec(task="circles", blocks=deep(20, 16, "relu"), initialisation="normal", gain=1.5, learning_rate=0.1),
    ),
    Preset(
        "residual",
        Sentence("Shortcuts: 20 residual blocks", "ショートカット：残差ブロック 20 個"),
        Sentence(
            "Switch the shortcuts off and run again from the same seed: the same depth stands still.",
            "ショートカットを切って同じ種からやり直す。同じ深さの網が止まってしまう。",
        ),
        Spec(task="circles", blocks=_residual(20, 16, "sigmoid"), optimizer="adam", learning_rate=0.003),
    ),
    Preset(
        "linear",
        Sentence("Deep and linear", "深くて線形"),
        Sentence(
            "Four layers, all activations taken out: it is one matrix, and its border a straight line.",
            "四層あるが活性化がない。一つの行列に等しく、境界は直線になる。",
        ),
        Spec(task="xor", blocks=deep(3, 8, "tanh"), optimizer="adam", learning_rate=0.02, is_linear=True),
    ),
    Preset(
        "regression",
        Sentence("A sine, with the identity at the end", "正弦、出力は恒等関数"),
        Sentence("Numbers instead of classes: the output layer squashes nothing.", "クラスではなく数値。出力層は何も押しつぶさない。"),
        Spec(task="sine", blocks=deep(2, 16, "tanh"), optimizer="adam", learning_rate=0.01),
    ),
)
