"""Residual scaling: why the sum of a hundred branches needs a small factor before each."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import nn

from ...reports.numerals import short
from ..line_figure import line_figure
from ..propagation import generator_of, profile, residual_stack
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, SAMPLES = 256, 64
FACTORS: dict[str, Any] = {"1": 1.0, "1/sqrt(L)": "1/sqrt(L)", "rezero": "rezero"}
DERIVED = "derivation: E|x + s f(x)|^2 = (1 + s^2) E|x|^2 for a He-initialised branch, so L log2(1 + s^2) doublings in L blocks; tolerance: see the docstring"
WAYS = {"forward": both("forward", "順方向"), "backward": both("backward", "逆方向")}


class ResidualScaling(AbstractExperiment):
    r"""Sends unit-variance inputs through ``L`` residual blocks :math:`x + s\,W\,\mathrm{ReLU}(x)` and compares the growth of their mean square with
    :math:`(1 + s^2)^L`; the same for gradients on their way back.

    With He's variance the branch keeps the mean square of what it gets, and its weights have mean zero, so that branch and shortcut add in the mean
    square: a factor 2 per block for :math:`s = 1`, and :math:`(1 + 1/L)^L \to e` for :math:`s = 1/\sqrt{L}`. With ReZero's factor 0 a block *is* the identity.

    Limits:
        The expectation is over initialisations. One block of width ``n`` multiplies the squared norm of one sample by a factor whose relative variance is
        :math:`v = (4 s^2 + 5 s^4) / (n (1 + s^2)^2)` (:math:`4 s^2`: the sum's cross term; 5: two for the chi-squared norm of the branch, three for the share
        of active units). The tolerance is three standard errors of the log over the seeds, :math:`3 \sqrt{L v / k}`, plus :math:`L v / 2` for the mean of
        a log.

    References:
        He et al. 2016; Hanin and Rolnick 2018; Bachlechner et al. 2021 (ReZero).
    """

    name: ClassVar = "residual-scaling"
    title: ClassVar = both("How residual branches must be scaled", "残差ブランチのスケーリング")
    question: ClassVar = both(
        "How much does a signal grow through L residual blocks, and which factor before the branch keeps it bounded?",
        "L 個の残差ブロックを通ると信号はどれだけ大きくなるか。ブランチにどの係数を掛ければ有界に保てるか。",
    )
    claim: ClassVar = both(
        "A residual connection, output = f(x) + x, keeps a deep network stable.", "残差接続（出力 = f(x) + x）は深いネットワークを安定させる。"
    )
    citation: ClassVar = "He et al. 2016 (arXiv 1603.05027); Hanin and Rolnick 2018 (arXiv 1803.01719); Bachlechner et al. 2021 (arXiv 2003.04887)"
    seconds: ClassVar = (3.0, 80.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """One stack per seed, depth and factor."""
        depths, seeds = ((4, 16), 6) if quick else ((4, 16, 64, 128), 12)
        return [{"seed": number, "depth": depth, "scale": scale} for number in paired_seeds(seed, seeds) for depth in depths for scale in FACTORS]

    def measure(self, condition: Row) -> Row:
        """Measure how often the mean square doubles, forward and backward, and for ReZero how far the Jacobian is from the identity."""
        number, depth, scale = condition["seed"], condition["depth"], condition["scale"]
        stack = residual_stack(nn.ReLU, [WIDTH] * (depth + 1), weight_variance=2.0, scale=FACTORS[scale], seed=number)
        x = torch.randn(SAMPLES, WIDTH, dtype=torch.float64, generator=generator_of(number + 500))
        found = profile(stack, x, seed=number + 700)
        forward, backward = np.log2(found.signal), np.log2(found.gradient)
        measured: Row = {"forward": forward[-1] - forward[0], "backward": backward[0] - backward[-1], "signal": forward - forward[0]}
        if scale == "rezero":
            jacobian = torch.autograd.functional.jacobian(stack, x[0].detach())
            measured["jacobian_error"] = float((jacobian - torch.eye(WIDTH, dtype=torch.float64)).abs().max())
        return measured

    def checks(self, rows: Rows) -> Sequence[Check]:
        """Doublings against L log2(1 + s²), and ReZero's Jacobian against the identity."""
        pairs = [(depth, scale) for depth in rows.distinct("depth") for scale in FACTORS if scale != "rezero"]
        found = [_doublings(rows.where(depth=depth, scale=scale), depth, scale, way) for depth, scale in pairs for way in WAYS]
        error = rows.where(scale="rezero").values("jacobian_error")
        name, name_ja = "ReZero: largest entry of |Jacobian - identity|", "ReZero: |ヤコビ行列 − 単位行列| の最大成分"
        return [*found, Check(name, float(error.max()) if len(error) else math.nan, 0.0, 0.0, source="derivation: x + 0 f(x) = x", name_ja=name_ja)]

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Ratios of mean squares, the geometric mean over seeds."""
        header = (both("blocks L", "ブロック数 L"), both("factor s", "係数 s"), both("theory", "理論"), both("forward", "順方向"), both("backward", "逆方向"))
        cells = []
        for depth, scale in ((depth, scale) for depth in rows.distinct("depth") for scale in FACTORS):
            here = rows.where(depth=depth, scale=scale)
            cells.append((depth, scale, 2.0 ** expected_doublings(depth, scale), *(2.0 ** here.mean(way) for way in WAYS)))
        return [
            Table(both("Mean square behind the last block over that before the first", "最終ブロック後と最初のブロック前の二乗平均の比"), header, tuple(cells))
        ]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        depth = max(rows.distinct("depth"))
        one, root = (short(2.0 ** rows.where(depth=depth, scale=scale).mean("forward")) for scale in ("1", "1/sqrt(L)"))
        return both(
            f"Through {depth} residual blocks the mean square grows {one}-fold with factor 1, {root}-fold with 1/√L and not at all with ReZero: "
            "the shortcut alone is no guarantee of stability, the branch must be scaled (or normalised) as well.",
            f"{depth} 個の残差ブロックを通ると、二乗平均は係数 1 では {one} 倍、1/√L では {root} 倍になり、ReZero では変わりません。"
            "ショートカットだけでは安定は保証されず、ブランチのスケーリング（または正規化）も必要です。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Mean square over the blocks of the deepest stacks, with the theory."""
        depth = max(rows.distinct("depth"))
        lines = {scale: rows.where(depth=depth, scale=scale).mean("signal") for scale in FACTORS if len(rows.where(depth=depth, scale=scale))}
        theory = {scale: np.arange(depth + 1) * expected_doublings(depth, scale) / depth for scale in lines}
        title = both(f"Without a factor the signal doubles in every block (L = {depth})", f"係数がなければ信号はブロックごとに 2 倍になる（L = {depth}）")
        labels = both("block", "ブロック"), both("mean square, doublings (log2)", "二乗平均（log2）")
        return line_figure(
            lines, title=title, labels=labels, language=language, theory=theory, names={scale: both(f"s = {scale}", f"s = {scale}") for scale in lines}
        )


def expected_doublings(depth: int, scale: str) -> float:
    """Return log2 of (1 + s²)^L."""
    return depth * math.log2(1 + branch_factor(depth, scale) ** 2)


def branch_factor(depth: int, scale: str) -> float:
    """Return the factor s by its name."""
    return {"1": 1.0, "1/sqrt(L)": 1.0 / math.sqrt(depth), "rezero": 0.0}[scale]


def _doublings(here: Rows, depth: int, scale: str, way: str) -> Check:
    square = branch_factor(depth, scale) ** 2
    variance = depth * (4 * square + 5 * square**2) / (WIDTH * (1 + square) ** 2)
    tolerance = (3 * math.sqrt(variance / max(len(here), 1)) + variance / 2) / math.log(2)
    name, name_ja = f"{way}: doublings of the mean square, L = {depth}, s = {scale}", f"{WAYS[way].ja}: 二乗平均が 2 倍になる回数、L = {depth}、s = {scale}"
    return Check(name, here.mean(way), expected_doublings(depth, scale), tolerance, unit="log2", source=DERIVED, name_ja=name_ja)
