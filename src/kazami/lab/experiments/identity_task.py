"""The identity task: networks that are asked to do nothing at all, and find it hard unless they are residual."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from ...reports.numerals import short
from ..identity_networks import FACTORS, identity_network, learn_identity, relative_error
from ..line_figure import Panel, panel_figure
from ..propagation import generator_of
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLOCKS, WIDTH, SAMPLES, DRAWS, LEARNING_RATE, DONE = 10, 32, 256, 16, 1e-3, 0.01  # DONE: one percent of the signal's power is wrong
EVERY = 10  # steps between two records of the branches
SMALL = "s = 1/sqrt(L)"
NAMES = {kind: both("plain" if kind == "plain" else f"residual, {kind}", "素のネットワーク" if kind == "plain" else f"残差、{kind}") for kind in FACTORS}
COLUMNS = [("network", "ネットワーク"), ("error untrained", "学習前の誤差"), ("at the end", "最終誤差"), ("steps to 1 %", "誤差 1 % までの数")]
BRANCHES = [("|f(x)|/|x| first", "|f(x)|/|x| 最初"), ("last", "最後")]
DERIVED = "derivation: E|y - x|^2 = ((1 + s^2)^L - 1) |x|^2 for branches that keep the mean square and are independent of one another"
HE = "He et al. 2015 (arXiv 1512.03385), section 3.1: it is easier to push a residual to zero than to fit an identity by a stack of non-linear layers"


class IdentityTask(AbstractExperiment):
    r"""Trains networks to return their input, :math:`y = x`, and watches the error and how much each block still changes.

    Ten blocks of two linear layers and a ReLU, width 32, standard normal inputs, Adam, the same weights and inputs for all. Before any step the error of a
    residual network is :math:`(1 + s^2)^L - 1` of the signal's power on average over initialisations: 0 for ReZero, at most :math:`e - 1` for
    :math:`s = 1/\sqrt{L}`, but 1023 for a full-sized branch with :math:`s = 1`; a plain network's output has nothing to do with its input: at least 1.

    Limits:
        "Doing nothing is easy" holds for branches that start small. One with s = 1 starts hundreds of times further away than a plain network, and after
        a few hundred steps it may still be further away: no check is made about that.

    References:
        He et al. 2015, section 3.1; Bachlechner et al. 2021 (ReZero).
    """

    name: ClassVar = "identity-task"
    title: ClassVar = both("Learning to do nothing", "何もしないことを学ぶ")
    question: ClassVar = both(
        "How hard is it for a deep network to learn y = x, plain and residual, and what do the blocks do meanwhile?",
        "深いネットワークにとって y = x を学ぶのはどれほど難しいか（素・残差）。その間、各ブロックは何をしているか。",
    )
    claim: ClassVar = both(
        "A residual block learns only the difference, so that doing nothing is easy for it.",
        "残差ブロックは差分だけを学ぶので、「何もしない」ことは容易である。",
    )
    citation: ClassVar = "He et al. 2015 (arXiv 1512.03385); Bachlechner et al. 2021 (arXiv 2003.04887)"
    seconds: ClassVar = (8.0, 100.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Every kind with every seed."""
        seeds, steps = (2, 200) if quick else (6, 1000)
        return [{"seed": number, "kind": kind, "steps": steps} for number in paired_seeds(seed, seeds) for kind in FACTORS]

    def measure(self, condition: Row) -> Row:
        """Measure the error of many untrained networks, then train one."""
        kind, number = condition["kind"], condition["seed"]
        x = torch.randn(SAMPLES, WIDTH, dtype=torch.float64, generator=generator_of(number + 500))
        with torch.no_grad():
            untrained = [float(relative_error(identity_network(kind, BLOCKS, WIDTH, seed=10**6 + DRAWS * number + draw), x)) for draw in range(DRAWS)]
        model = identity_network(kind, BLOCKS, WIDTH, seed=number)
        errors, ratios = learn_identity(model, x, steps=condition["steps"], learning_rate=LEARNING_RATE, every=EVERY)
        within = next((float(step) for step, error in enumerate(errors) if error < DONE), math.inf)
        power = float(np.log2(np.array(untrained) + 1).mean())
        return {"untrained": float(np.mean(untrained)), "power": power, "errors": errors, "ratios": ratios, "within": within, "end": errors[-1]}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """Errors before training against the theory, and after it against each other."""
        plain, zero, small = (rows.where(kind=kind) for kind in ("plain", "rezero", SMALL))
        found = [_at_the_start(rows.where(kind=kind), kind, square) for kind, square in (("s = 1", 1.0), (SMALL, 1 / BLOCKS))]
        name, name_ja = "residual, rezero: error before training", "残差、rezero: 学習前の誤差"
        found.append(Check(name, zero.largest("untrained"), 0.0, 0.0, source="derivation: x + 0 f(x) = x", name_ja=name_ja))
        name, name_ja = "plain: error before training", "素のネットワーク: 学習前の誤差"
        independent = "derivation: |y - x|^2 = |y|^2 + |x|^2 on average for an output whose weights know nothing of the input"
        found.append(Check(name, plain.mean("untrained"), 1.0, 0.0, "at_least", source=independent, name_ja=name_ja))
        for kind in (SMALL, "rezero"):
            better = rows.share_above("end", {"kind": kind}, {"kind": "plain"})
            name, name_ja = f"{NAMES[kind].en}: share of seeds that end nearer than plain", f"{NAMES[kind].ja}: 素のネットワークより誤差が小さい割合"
            found.append(Check(name, better, 1.0, 0.0, source=HE, name_ja=name_ja))
        ratios = small.values("ratios")  # (seeds, records, blocks)
        shrink = float((ratios[:, -1].mean(1) / ratios[:, 0].mean(1)).max()) if len(ratios) else math.nan
        name, name_ja = "s = 1/sqrt(L): |f(x)|/|x| at the end over that at the start, largest", "s = 1/sqrt(L): |f(x)|/|x| の学習後と学習前の比、最大値"
        return [*found, Check(name, shrink, 1.0, 0.0, "at_most", source=HE, name_ja=name_ja)]

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Errors, steps and branches."""
        cells = []
        for kind in rows.distinct("kind"):
            here = rows.where(kind=kind)
            ratios = here.values("ratios").mean((0, 2))
            cells.append((kind, here.mean("untrained"), here.mean("end"), here.median("within"), float(ratios[0]), float(ratios[-1])))
        return [Table.of(both("Error as a share of the signal's power", "信号のパワーに対する誤差"), [*COLUMNS, *BRANCHES], cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        plain, small, zero, one = (short(rows.where(kind=kind).mean("end")) for kind in ("plain", SMALL, "rezero", "s = 1"))
        away = short(rows.where(kind="s = 1").mean("untrained"))
        return both(
            f"After the same steps a plain network still gets {plain} of the signal's power wrong, residual ones {small} (s = 1/√L) and {zero} (ReZero, "
            f"from the first step on); with full-sized branches (s = 1) a residual network starts {away} away and ends at {one}: easy means starting small.",
            f"同じステップ数の後、素のネットワークの誤差は信号のパワーの {plain} 倍、残差では {small} 倍（s = 1/√L）、ReZero では最初から {zero} です。"
            f"ブランチが大きいまま（s = 1）だと {away} 倍から始まり {one} 倍で終わります。容易なのは小さく始めたときです。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """The error over the steps, and what the blocks still change."""
        kinds = [kind for kind in rows.distinct("kind") if kind != "rezero"]  # zero from the start: nothing to see on a logarithmic axis
        errors = {kind: np.maximum(rows.where(kind=kind).mean("errors"), 1e-30) for kind in kinds}
        ratios = {kind: (EVERY * np.arange(len(one)), one) for kind in kinds for one in [rows.where(kind=kind).mean("ratios").mean(1)]}
        titles = (
            both("Doing nothing is hard without a shortcut", "ショートカットなしでは難しい"),
            both("Residual blocks change less and less", "残差ブロックの変化量は減っていく"),
        )
        step, error = both("optimizer step", "ステップ"), both("error, share of the signal's power", "誤差（信号のパワー比）")
        change = both("|f(x)| / |x|, mean of the blocks", "|f(x)| / |x|（ブロック平均）")
        panels = [Panel(errors, titles[0], (step, error), ("linear", "log")), Panel(ratios, titles[1], (step, change), ("linear", "log"))]
        return panel_figure(panels, language=language, names=NAMES)


def _at_the_start(here: Rows, kind: str, square: float) -> Check:
    expected = BLOCKS * math.log2(1 + square)
    variance = BLOCKS * (4 * square + 5 * square**2) / (WIDTH * (1 + square) ** 2)  # of one network's natural log, see residual-scaling
    tolerance = (3 * math.sqrt(variance / (DRAWS * max(len(here), 1))) + variance / 2) / math.log(2)
    name, name_ja = f"{NAMES[kind].en}: log2(1 + error) before training", f"{NAMES[kind].ja}: 学習前の log2(1 + 誤差)"
    return Check(name, here.mean("power"), expected, tolerance, unit="log2", source=DERIVED, name_ja=name_ja)
