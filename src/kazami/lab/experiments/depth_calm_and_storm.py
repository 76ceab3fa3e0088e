"""Calm and storm: gradients fade or grow exponentially with depth, at a rate that the initialisation alone decides."""

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import nn

from ...nets.starts.mean_field import MeanField, critical_weight_variance, mean_field
from ...reports.numerals import short
from ..line_figure import line_figure
from ..propagation import generator_of, gradient_growth, plain_stack, profile
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, DEPTH, SAMPLES, SKIP = 256, 40, 64, 5  # the size at which the tolerance was settled; the first and last blocks are not yet at the fixed point
MODULES: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
CRITICAL = "critical"  # the variance of the weights at which the theory gives χ = 1
SETTINGS: tuple[tuple[str, Any, float], ...] = (
    *(("sigmoid", weights, 0.0) for weights in (1.0, 16.0)),
    *(("tanh", weights, 0.05) for weights in (1.0, CRITICAL, 4.0)),
    *(("relu", weights, 0.0) for weights in (1.0, CRITICAL)),
)
FACTORS = ("activation", "weights", "biases")
TOLERANCE = 0.03  # natural log per block, width 256, depth 40, six seeds (one seed scatters by about 0.014 · √6)
BOUND = 0.25  # the largest derivative of a sigmoid
COLUMNS = [("setting", "条件"), ("χ", "χ"), ("ln χ", "ln χ"), ("measured", "実測"), ("factor of the norm", "ノルムの倍率"), ("left after 10", "10 層後")]
MEAN_FIELD = "mean-field theory, ln χ with χ = σ_w² E[φ'(√q* z)²] (Schoenholz et al. 2017)"


class DepthCalmAndStorm(AbstractExperiment):
    r"""Sends one random gradient per sample back through 40 blocks, and compares the growth of its mean square per block with mean-field theory.

    In a wide network of independent weights the mean square of the gradient is multiplied by :math:`\chi = \sigma_w^2\, E[\varphi'(\sqrt{q^*} z)^2]` in every
    block, :math:`z` normal and :math:`q^*` the fixed point of the pre-activations' variance: calm for :math:`\chi < 1`, storm for :math:`\chi > 1`, and a
    critical line between. The well-known bound, a factor of at most 0.25 per sigmoid, holds for the derivative alone; with weights it is
    :math:`\sigma_w \cdot 0.25`.

    Limits:
        Theory for infinite width; at width 256 and over six seeds a rate may be off by 0.03.

    References:
        Poole et al. 2016; Schoenholz et al. 2017 (arXiv 1611.01232); He et al. 2015.
    """

    name: ClassVar = "depth-calm-and-storm"
    title: ClassVar = both("Calm and storm in deep networks", "深いネットワークの無風と暴風")
    question: ClassVar = both(
        "How fast do gradients fade or grow with depth, for which activation and which variance of the weights?",
        "活性化関数と重みの分散によって、勾配は深さとともにどれだけ速く消え、あるいは大きくなるか。",
    )
    claim: ClassVar = both(
        "A sigmoid's derivative is at most 0.25, so after L layers at most 0.25^L of the gradient is left; too large weights make it explode.",
        "シグモイドの導関数は 0.25 以下なので、L 層を遡ると勾配は 0.25^L 以下になる。重みが大きすぎると勾配は爆発する。",
    )
    citation: ClassVar = "Schoenholz et al. 2017 (arXiv 1611.01232); Poole et al. 2016 (arXiv 1606.05340); He et al. 2015 (arXiv 1502.01852)"
    seconds: ClassVar = (5.0, 15.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Every setting with every seed."""
        seeds = paired_seeds(seed, 6 if quick else 24)
        return [{"seed": number, **dict(zip(FACTORS, setting, strict=True))} for number in seeds for setting in SETTINGS]

    def measure(self, condition: Row) -> Row:
        """Measure the growth per block and keep the profile, in natural logs relative to the last block."""
        activation = MODULES[condition["activation"]]
        theory = theory_of(*(condition[name] for name in FACTORS))
        variances = {"weight_variance": theory.weight_variance, "bias_variance": theory.bias_variance}
        stack = plain_stack(activation, [WIDTH] * (DEPTH + 1), **variances, seed=condition["seed"])
        start = math.sqrt(theory.q_star or 1.0) * torch.randn(SAMPLES, WIDTH, dtype=torch.float64, generator=generator_of(condition["seed"] + 500))
        gradient = profile(stack, start, seed=condition["seed"] + 700).gradient
        return {"growth": gradient_growth(gradient, skip=SKIP), "profile": np.log(gradient / gradient[-1])}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """The growth of every setting, and the bound where it holds and where it does not."""
        found = []
        for setting in _measured(rows):
            expected = round(math.log(theory_of(*setting).chi), 12)  # at the critical variance rounding alone is left
            name, name_ja = f"growth per block, {label(setting)}", f"ブロックあたりの増加率、{label(setting)}"
            found.append(Check(name, _of(rows, setting).mean("growth"), expected, TOLERANCE, unit="ln of mean square", source=MEAN_FIELD, name_ja=name_ja))
        factor, large = (_factor(_of(rows, setting)) for setting in SETTINGS[:2])
        derived = "the derivative of a sigmoid is at most 1/4, and weights of variance 1/n keep norms"
        beyond = "derivation: with weights the factor is σ_w rms(φ'), not bounded by 0.25"
        en, ja = "gradient left per block, sigmoid, σ_w² = ", "ブロックごとに残る勾配、シグモイド、σ_w² = "
        found.append(Check(f"{en}1", factor, BOUND, 0.0, "at_most", source=derived, name_ja=f"{ja}1"))
        found.append(Check(f"{en}16", large, BOUND, 0.0, "at_least", source=beyond, name_ja=f"{ja}16"))
        return found

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Rates, and the factor in the gradient's norm that they mean."""
        cells = []
        for setting in _measured(rows):
            chi, factor = theory_of(*setting).chi, _factor(_of(rows, setting))
            cells.append((label(setting), chi, round(math.log(chi), 12), _of(rows, setting).mean("growth"), factor, factor**10))
        return [Table.of(both("Growth of gradients per block, towards the input", "入力に向かうブロックあたりの勾配の増加率"), COLUMNS, cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        calm, large, storm = (_factor(_of(rows, SETTINGS[index])) for index in (0, 1, 4))
        ten = short(calm**10)
        return both(
            f"A block of sigmoids with σ_w² = 1 leaves {short(calm)} of the gradient (ten blocks: {ten}), tanh with σ_w² = 4 multiplies it by {short(storm)}; "
            f"0.25 per layer is a bound for weights of unit variance or less: with σ_w² = 16, {short(large)} is left.",
            f"σ_w² = 1 のシグモイド 1 層で残る勾配は {short(calm)} 倍（10 層で {ten} 倍）、σ_w² = 4 の tanh では {short(storm)} 倍になります。"
            f"1 層あたり 0.25 という上限が成り立つのは σ_w² ≤ 1 のときで、σ_w² = 16 では {short(large)} 倍が残ります。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Gradient norms over the blocks with the theory, and the bound 0.25^L."""
        scale = 0.5 / math.log(10)  # from the natural log of a mean square to decades of a norm
        lines = {label(setting): scale * _of(rows, setting).mean("profile") for setting in _measured(rows)}
        steps = np.arange(DEPTH, -1, -1.0)
        theory = {label(setting): scale * steps * math.log(theory_of(*setting).chi) for setting in _measured(rows)}
        bound = {"0.25^L": steps * math.log10(BOUND)}
        title = both("The initialisation alone decides between calm, breeze and storm", "無風・微風・暴風は初期化だけで決まる")
        labels = both("block (input on the left)", "ブロック（左が入力）"), both("gradient norm, decades (log10)", "勾配ノルム（log10）")
        return line_figure(lines, title=title, labels=labels, language=language, theory=theory, references=bound, width=9.0)


def label(setting: tuple[str, Any, float]) -> str:
    """Return a setting as it stands in tables."""
    name, weights, biases = setting
    shown = f"{theory_of(*setting).weight_variance:.4g}" + (" (critical)" if weights == CRITICAL else "")
    return f"{name}, σ_w² = {shown}" + (f", σ_b² = {biases:g}" if biases else "")


@cache
def theory_of(activation: str, weights: Any, biases: float) -> MeanField:
    """Return the mean-field numbers of a setting."""
    module = MODULES[activation]
    return mean_field(module, critical_weight_variance(module, biases) if weights == CRITICAL else weights, biases)


def _measured(rows: Rows) -> list[tuple[str, Any, float]]:
    return [setting for setting in SETTINGS if len(_of(rows, setting))]


def _of(rows: Rows, setting: tuple[str, Any, float]) -> Rows:
    return rows.where(**dict(zip(FACTORS, setting, strict=True)))


def _factor(here: Rows) -> float:
    """Return by what the norm of the gradient is multiplied per block."""
    return math.exp(here.mean("growth") / 2)
