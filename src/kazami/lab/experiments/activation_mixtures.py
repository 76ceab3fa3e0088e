"""Mixtures of activations: where along the depth must a network be non-linear, and what do identity layers cost?"""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...nets.inside.mixtures import activation_mixtures
from ...patients.data import Data, circles
from ...reports.figures import MUTED, SERIES, drawing, new_figure
from ...reports.numerals import short
from ..line_figure import finish_axes
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH, WIDTH, STEPS = 3, 16, 300
FINER = 0.01  # a direction between those that were tried may put a few points more on their right side
LETTERS = {"identity": "I", "relu": "R", "tanh": "T"}
LINEAR = "derivation: layers without activation are one matrix, and no line through the plane has more of the training points on their right side"
ENOUGH = "derivation: one hidden layer of 16 ReLUs or tanhs can fence a disc (Cybenko 1989), and linear layers before and behind it take nothing away"


class ActivationMixtures(AbstractExperiment):
    r"""Trains networks of three hidden layers with every mixture of activations over the layers, the identity among them, on two rings that no line parts.

    All identities are one matrix (:math:`W_4 W_3 W_2 W_1`), whatever the depth, and cannot have more training points on their right side than the best line of
    the plane, found here by trying every direction. One non-linear layer, wherever it stands, is enough to do better.

    Limits:
        A plane task with a width that suffices. Identity layers lose nothing here; where width narrows, they lose what any narrow matrix loses.

    References:
        Cybenko 1989 (Mathematics of Control, Signals and Systems 2, 303).
    """

    name: ClassVar = "activation-mixtures"
    title: ClassVar = both("The identity among other activations", "恒等写像と他の活性化関数の組み合わせ")
    question: ClassVar = both(
        "Which mixtures of identity and other activations over the layers can learn what no line parts?",
        "恒等写像と他の活性化関数を層ごとに組み合わせるとき、直線で分けられないものを学べるのはどの組み合わせか。",
    )
    claim: ClassVar = both(
        "The identity is combined with other activations; alone, any depth collapses into one linear layer.",
        "恒等写像は他の活性化関数と組み合わせて使う。単独では、何層重ねても一つの線形層に潰れる。",
    )
    citation: ClassVar = "Cybenko 1989 (Mathematics of Control, Signals and Systems 2, 303)"
    seconds: ClassVar = (4.0, 40.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Every mixture with every seed."""
        activations, seeds = (("identity", "relu"), 2) if quick else (tuple(LETTERS), 5)
        mixtures = list(itertools.product(activations, repeat=DEPTH))
        return [{"seed": number, "mixture": "".join(LETTERS[name] for name in mixture)} for number in paired_seeds(seed, seeds) for mixture in mixtures]

    def measure(self, condition: Row) -> Row:
        """Train one mixture; its accuracy is of the training points, so that over-fitting is no matter."""
        data = circles()
        names = {letter: name for name, letter in LETTERS.items()}
        mixture = [names[letter] for letter in condition["mixture"]]
        task = (data.x, data.y, data.x, data.y)
        (found,) = activation_mixtures(depth=DEPTH, width=WIDTH, data=task, combinations=[mixture], seeds=[condition["seed"]], steps=STEPS)
        return {"accuracy": found.accuracy, "nonlinear": sum(name != "identity" for name in mixture)}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """The linear mixture under the best line, every other one above it."""
        line = best_line(circles())
        name, name_ja = "all identities: largest training accuracy, against the best line's", "恒等写像のみ: 訓練正解率の最大値（最良の直線と比較）"
        found = [Check(name, rows.where(nonlinear=0).largest("accuracy"), line, FINER, "at_most", source=LINEAR, name_ja=name_ja)]
        for mixture in (mixture for mixture in rows.distinct("mixture") if set(mixture) != {"I"}):
            name, name_ja = f"{mixture}: smallest training accuracy, against the best line's", f"{mixture}: 訓練正解率の最小値（最良の直線と比較）"
            found.append(Check(name, rows.where(mixture=mixture).least("accuracy"), line, 0.0, "at_least", source=ENOUGH, name_ja=name_ja))
        return found

    def tables(self, rows: Rows) -> Sequence[Table]:
        """One row per mixture."""
        columns = [
            ("layers (I identity, R ReLU, T tanh)", "層（I 恒等、R ReLU、T tanh）"),
            ("training accuracy", "訓練正解率"),
            ("smallest", "最小"),
            ("seeds", "シード数"),
        ]
        cells = [
            (mixture, here.mean("accuracy"), here.least("accuracy"), len(here))
            for mixture in rows.distinct("mixture")
            for here in [rows.where(mixture=mixture)]
        ]
        return [Table.of(both("Every mixture over three hidden layers", "隠れ層 3 層のすべての組み合わせ"), columns, cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        linear, one, all_of_them = (short(rows.where(nonlinear=count).mean("accuracy")) for count in (0, 1, DEPTH))
        line = short(best_line(circles()))
        return both(
            f"Three identity layers have {linear} of the points right, not more than the best line ({line}); "
            f"with one non-linear layer it is {one}, with three {all_of_them}.",
            f"恒等写像 3 層の正解率は {linear} で、最良の直線（{line}）を超えません。非線形な層が 1 つあれば {one}、3 つなら {all_of_them} です。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Accuracy of each mixture, by the number of its non-linear layers."""
        title = both("One non-linear layer is enough, and no number of identities is", "非線形な層は 1 つで足り、恒等写像は何層でも足りない")
        labels = both("non-linear layers out of three", "3 層のうち非線形な層の数"), both("training accuracy", "訓練正解率")
        with drawing():
            figure, axes = new_figure()
            for row in rows:
                axes.plot(row["nonlinear"] + 0.02 * (row["seed"] % 1000), row["accuracy"], "o", color=SERIES[row["nonlinear"]], markersize=4)
            axes.axhline(best_line(circles()), color=MUTED, linestyle="--", linewidth=1.2, label=both("best line", "最良の直線").in_language(language))
            finish_axes(axes, title=title, labels=labels, language=language)
            axes.set_xticks(range(DEPTH + 1))
            axes.legend(fontsize=9)
        return figure


def best_line(data: Data, directions: int = 720) -> float:
    """Return the largest share of training points of two classes that a line in the plane puts on their right side, over ``directions`` and all offsets."""
    x, y = data.x.double().numpy(), data.y.numpy()
    best = 0.0
    for angle in np.arange(directions) * 2 * np.pi / directions:
        order = np.argsort(x @ [np.cos(angle), np.sin(angle)])
        right = np.concatenate([[0], np.cumsum(np.where(y[order] == 0, 1, -1))]) + (y == 1).sum()  # class 0 below the cut, class 1 above
        best = max(best, float(right.max()) / len(y))
    return best
