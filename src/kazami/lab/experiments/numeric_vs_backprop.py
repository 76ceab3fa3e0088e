"""Numeric against backprop: what a gradient costs by differences, and what it costs by backpropagation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from ...derivatives import compare_with_numeric, million_weights
from ...derivatives.numeric_result import duration, grouped
from ...nets import mlp
from ..line_figure import line_figure
from ..propagation import generator_of
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPSILON = 2.0**-52
SLACK = 1000.0  # loss, gradient and higher derivatives are of order one in the small networks; three decades are left for their ratios
ERRORS = {"forward": SLACK * EPSILON ** (1 / 2), "central": SLACK * EPSILON ** (2 / 3), "complex": SLACK * EPSILON}
PASSES = {
    "forward": both("forward differences: passes - weights", "前進差分: 計算回数 − 重みの数"),
    "backprop": both("backprop: passes", "誤差逆伝播: 計算回数"),
}
COLUMNS = [
    ("weights", "重みの数"),
    ("method", "方法"),
    ("passes", "計算回数"),
    ("run", "実行回数"),
    ("extrapolated", "外挿"),
    ("relative error", "相対誤差"),
    ("seconds", "秒"),
]
COUNTED = "derivation: C at the point itself and once per shifted weight; backprop is one forward and one backward pass"
STEP = "derivation: truncation balances rounding at errors of 2^-26 (forward) and 2^-34.7 (central), the complex step has rounding only; times 1000"
LARGE = 1_000_000


class NumericVsBackprop(AbstractExperiment):
    r"""Takes the gradient of small tanh networks by forward and central differences, by the complex step and by backprop; counts passes, compares, times.

    With *n* weights, forward differences take :math:`n + 1` passes through the network for one training example, central ones :math:`2n`, backprop 2. For a
    network of exactly a million weights a sample of the million and one passes is run and timed, and the rest is extrapolated and marked.

    Limits:
        Seconds are of this machine, one thread and float64; they are shown and not checked. In the large network single derivatives are so small against the
        loss that forward differences keep three to five digits only; agreement is checked where every derivative is run.

    References:
        Rumelhart, Hinton and Williams 1986; Squire and Trapp 1998 (complex step).
    """

    name: ClassVar = "numeric-vs-backprop"
    title: ClassVar = both("Numerical derivatives against backpropagation", "数値微分と誤差逆伝播")
    question: ClassVar = both(
        "How many passes, how many seconds and which error does a gradient cost, numerically and by backprop?",
        "勾配を求めるのに、数値微分と誤差逆伝播では何回の計算・何秒・どれだけの誤差がかかるか。",
    )
    claim: ClassVar = both(
        "With a million weights, numerical derivatives need a million and one passes per training example, backprop two in all.",
        "重みが 100 万個あると、数値微分は 1 例につき 100 万 1 回の計算が必要だが、誤差逆伝播は合計 2 回で済む。",
    )
    citation: ClassVar = "Rumelhart, Hinton and Williams 1986 (Nature 323, 533); Squire and Trapp 1998 (SIAM Review 40, 110)"
    seconds: ClassVar = (4.0, 60.0)
    is_timed: ClassVar = True

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Networks of growing size, and the one of a million weights."""
        hidden, budget = ((4, 16, 64), 2.0) if quick else ((4, 16, 64, 256, 1024), 20.0)
        return [*({"seed": seed, "hidden": count, "budget": 10 * budget} for count in hidden), {"seed": seed, "hidden": 0, "budget": budget}]

    def measure(self, condition: Row) -> Row:
        """Compare on one network."""
        seed, hidden = condition["seed"], condition["hidden"]
        if not hidden:
            found = million_weights(budget_s=condition["budget"], seed=seed)
        else:
            model = mlp([8, hidden, 3], activation=nn.Tanh, output=nn.Identity, seed=seed).double()
            batch = torch.randn(1, 8, dtype=torch.float64, generator=generator_of(seed + 500)), torch.tensor([seed % 3])
            found = compare_with_numeric(model, nn.functional.cross_entropy, batch, budget_s=condition["budget"], seed=seed)
        return {"weights": found.n_weights, "costs": {cost.method: cost.to_dict() for cost in (found.backprop, *found.methods) if not cost.why_not}}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """Passes, the largest errors, and the million."""
        found = []
        for row in rows:
            costs, en, ja = row["costs"], f", {row['weights']} weights", f"、重み {row['weights']} 個"
            extra, two = float(costs["forward"]["passes"] - row["weights"]), float(costs["backprop"]["passes"])
            found += [
                Check(PASSES[key].en + en, value, expected, 0.0, source=COUNTED, name_ja=PASSES[key].ja + ja)
                for key, value, expected in (("forward", extra, 1.0), ("backprop", two, 2.0))
            ]
        for method, limit in ERRORS.items():
            costs_run = [row["costs"][method] for row in rows if method in row["costs"] and not row["costs"][method]["is_extrapolated"]]
            name, name_ja = (
                f"{method}, all derivatives run: largest relative difference from backprop",
                f"{method}（全微分を実行）: 誤差逆伝播との相対差の最大値",
            )
            error = max((cost["error"] for cost in costs_run), default=float("nan"))
            found.append(Check(name, error, 0.0, limit, "at_most", source=STEP, name_ja=name_ja))
        return found

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Every method on every network."""
        names = ("method", "passes", "passes_run", "is_extrapolated", "error", "seconds")
        cells = [(row["weights"], *(cost[name] for name in names)) for row in rows for cost in row["costs"].values()]
        return [Table.of(both("The gradient for one training example", "1 つの学習例に対する勾配"), COLUMNS, cells, timed=(3, 4, 5, 6))]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        costs = rows.where(weights=LARGE)[0]["costs"]
        numeric, backprop = costs["forward"], costs["backprop"]
        passes, run = grouped(numeric["passes"]), grouped(numeric["passes_run"])
        slow, fast = ([duration(cost["seconds"], language) for language in ("en", "ja")] for cost in (numeric, backprop))
        return both(
            f"A million weights take {passes} passes numerically, {slow[0]} (extrapolated from {run} passes), and {backprop['passes']} by backprop, {fast[0]}; "
            "where both were run in full, they agree.",
            f"重みが 100 万個だと、数値微分は {passes} 回の計算で {slow[1]}（{run} 回の実測から外挿）、誤差逆伝播は {backprop['passes']} 回で {fast[1]} です。"
            "全微分を両方の方法で求めた範囲では、結果は一致します。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Seconds against the number of weights."""
        methods = {"forward": both("forward differences", "前進差分"), "backprop": both("backprop", "誤差逆伝播")}
        lines = {method: ([row["weights"] for row in rows], [row["costs"][method]["seconds"] for row in rows]) for method in methods}
        title = both("Numerical derivatives take minutes where backprop takes milliseconds", "数値微分は分単位、誤差逆伝播はミリ秒単位")
        labels = (
            both("weights (the last point of the differences is extrapolated)", "重みの数（差分の右端の点は外挿）"),
            both("seconds for one gradient", "勾配 1 回の秒数"),
        )
        return line_figure(lines, title=title, labels=labels, language=language, names=methods, scales=("log", "log"))
