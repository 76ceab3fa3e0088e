"""Degradation: a deeper plain network is worse even on the data it was trained on, a deeper residual one is not."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, ClassVar

from ...patients.data import digits
from ...reports.numerals import short
from ..line_figure import Panel, panel_figure
from ..networks import deep_classifier
from ..training_loops import adam, classifier_training, scores
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, LEARNING_RATE = 32, 1e-3  # Adam's own default rate, the same for all
NAMES: dict[str, Sentence] = {
    "plain": both("plain", "素のネットワーク"),
    "plain_bn": both("plain with batch normalisation", "素のネットワーク＋バッチ正規化"),
    "residual": both("residual", "残差"),
    "residual_relu": both("residual, branch ends in ReLU", "残差（ブランチ末尾が ReLU）"),
    "dense": both("dense", "密結合"),
}
SHORTCUTS = ("residual", "dense")
COLUMNS = [
    ("network", "ネットワーク"),
    ("layers", "層数"),
    ("train loss, nats", "訓練損失 (nat)"),
    ("train accuracy", "訓練正解率"),
    ("test accuracy", "テスト正解率"),
    ("seeds", "シード数"),
]
HE = "He et al. 2015 (arXiv 1512.03385), figure 1: the deeper plain network has the higher training error, in every run"
HE_2016 = "He et al. 2016 (arXiv 1603.05027), section 4.1: with ReLU before the addition the signal can only grow, and the network is worse"
HE_TOO = "He et al. 2015 (arXiv 1512.03385), section 4.2: the deeper residual network is trained at least as well; Huang et al. 2017 for the dense one"


class Degradation(AbstractExperiment):
    r"""Trains networks of growing depth on the 1797 handwritten digits: plain, residual and dense, with paired seeds (same batches, same rate, same steps).

    He et al. called it *degradation*: with more layers the **training** loss of plain networks rises, so that it is no over-fitting; a deeper network could
    copy the shallow one and do nothing in its further layers, but descent does not find that. All networks start with He's initialisation, so neither calm nor
    storm at the start explains it.

    Limits:
        Small networks, a few hundred steps of Adam: it tells what trains within that, not what could be reached with any patience.

    References:
        He et al. 2015 (arXiv 1512.03385) and 2016 (arXiv 1603.05027); Huang et al. 2017 (arXiv 1608.06993).
    """

    name: ClassVar = "degradation"
    title: ClassVar = both("Degradation of deep plain networks", "素の深いネットワークの劣化")
    question: ClassVar = both(
        "Does a deeper network learn its own training data better or worse: plain, residual, dense, 10 to 200 layers?",
        "ネットワークを 10 層から 200 層まで深くすると、訓練データの学習は良くなるか、悪くなるか（素・残差・密結合）。",
    )
    claim: ClassVar = both(
        "Plain networks get worse with depth; with residual connections more than 100 layers become trainable.",
        "素のネットワークは深くすると性能が落ちる。残差接続を使えば 100 層以上でも学習できる。",
    )
    citation: ClassVar = "He et al. 2015 (arXiv 1512.03385) and 2016 (arXiv 1603.05027); Huang et al. 2017 (arXiv 1608.06993)"
    seconds: ClassVar = (10.0, 220.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Every kind at every depth with every seed."""
        depths, kinds, steps, seeds = ((10, 30, 50), ("plain", "residual", "dense"), 160, 2) if quick else ((10, 20, 50, 100, 200), tuple(NAMES), 400, 3)
        return [{"seed": s, "depth": depth, "kind": kind, "steps": steps} for s in paired_seeds(seed, seeds) for depth in depths for kind in kinds]

    def measure(self, condition: Row) -> Row:
        """Train one network and score it."""
        data, number = digits(), condition["seed"]
        model = deep_classifier(condition["kind"], condition["depth"], width=WIDTH, n_in=64, n_classes=10, seed=number)
        training = classifier_training(model, data, adam(LEARNING_RATE), steps=condition["steps"], seed=number + 500)
        return asdict(scores(training.run().model, data))

    def checks(self, rows: Rows) -> Sequence[Check]:
        """Signs over paired seeds: plain networks get worse with depth, the others do not, and win where it is deepest."""
        depths, kinds = rows.distinct("depth"), rows.distinct("kind")
        if len(depths) < 2:  # interrupted early
            return []
        low, high = min(depths), max(depths)
        en, ja = f"{high} against {low} layers", f"{low} 層に対し {high} 層"
        found = []
        for kind in (kind for kind in kinds if kind.startswith("plain")):
            worse = rows.share_above("train_loss", {"kind": kind, "depth": low}, {"kind": kind, "depth": high})
            found.append(_share(f"{NAMES[kind].en}: higher training loss, {en}", f"{NAMES[kind].ja}: 訓練損失の上昇、{ja}", worse, HE))
        for kind in SHORTCUTS:
            pairs = rows.paired("train_accuracy", {"kind": kind, "depth": low}, {"kind": kind, "depth": high})
            lost = float((pairs[:, 0] - pairs[:, 1]).mean()) if len(pairs) else float("nan")
            names = f"{NAMES[kind].en}: training accuracy lost, {en}", f"{NAMES[kind].ja}: 失われた訓練正解率、{ja}"
            found.append(Check(names[0], lost, 0.0, 0.02, "at_most", source=HE_TOO, name_ja=names[1]))
            better = rows.share_above("train_loss", {"kind": kind, "depth": high}, {"kind": "plain", "depth": high})
            found.append(_share(f"{NAMES[kind].en} beats plain at {high} layers", f"{high} 層で素のネットワークに勝つ: {NAMES[kind].ja}", better, HE_TOO))
        if "residual_relu" in kinds:
            worse = rows.share_above("train_loss", {"kind": "residual", "depth": high}, {"kind": "residual_relu", "depth": high})
            found.append(_share(f"residual is worse with ReLU at the branch's end, {high} layers", f"{high} 層、ブランチ末尾が ReLU だと悪化", worse, HE_2016))
        return found

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Means over the seeds."""
        cells = []
        for kind, depth in ((kind, depth) for kind in rows.distinct("kind") for depth in rows.distinct("depth")):
            here = rows.where(kind=kind, depth=depth)
            cells.append((kind, depth, *(here.mean(name) for name in ("train_loss", "train_accuracy", "test_accuracy")), len(here)))
        return [Table.of(both("After the same number of steps", "同じステップ数の学習後"), COLUMNS, cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        low, high = min(rows.distinct("depth")), max(rows.distinct("depth"))
        first, last = (short(rows.where(kind="plain", depth=depth).mean("train_accuracy")) for depth in (low, high))
        residual, dense = (short(rows.where(kind=kind, depth=high).mean("train_accuracy")) for kind in SHORTCUTS)
        return both(
            f"From {low} to {high} layers the training accuracy of plain networks falls from {first} to {last}; "
            f"after the same steps residual ones have {residual} and dense ones {dense} at {high} layers.",
            f"{low} 層から {high} 層にすると、素のネットワークの訓練正解率は {first} から {last} に下がります。"
            f"同じステップ数で、{high} 層の残差ネットワークは {residual}、密結合ネットワークは {dense} です。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Training loss and accuracy against depth."""
        depths, layers = rows.distinct("depth"), both("weight layers", "層数")
        loss, accuracy = ({kind: _against_depth(rows.where(kind=kind), name) for kind in rows.distinct("kind")} for name in ("train_loss", "train_accuracy"))
        titles = (
            both("Deeper plain networks learn worse …", "素のネットワークは深いほど学習できない"),
            both("… even the data they are trained on", "訓練データでさえも"),
        )
        labels = (layers, both("training loss, nats", "訓練損失 (nat)")), (layers, both("training accuracy", "訓練正解率"))
        panels = [Panel(loss, titles[0], labels[0], ("log", "log"), depths), Panel(accuracy, titles[1], labels[1], ("log", "linear"), depths)]
        return panel_figure(panels, language=language, names=NAMES)


def _against_depth(rows: Rows, name: str) -> tuple[list[int], list[float]]:
    depths = rows.distinct("depth")
    return depths, [rows.where(depth=depth).mean(name) for depth in depths]


def _share(name: str, name_ja: str, share: float, source: str) -> Check:
    """Expect something of every pair of seeds."""
    return Check(f"{name}: share of seeds", share, 1.0, 0.0, source=source, name_ja=f"{name_ja}: シードの割合")
