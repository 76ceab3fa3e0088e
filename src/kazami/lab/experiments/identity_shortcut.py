"""The identity shortcut: the same deep network with and without a way around every block, and the gradients in it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import nn

from ...reports.numerals import short
from ..line_figure import line_figure
from ..propagation import generator_of, plain_stack, profile, residual_stack
from ._base import AbstractExperiment, Check, Row, Rows, Sentence, Table, both, paired_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH, SAMPLES = 40, 64
NARROW, WIDE = 128, 512  # the widths of the stacks in which a shortcut has to change the number of features; elsewhere the mean of the two stages
EVEN, GROWING = [256] * (DEPTH + 1), [NARROW] * 14 + [256] * 14 + [WIDE] * 13
TOLERANCE = 0.03 / (2 * math.log(10))  # decades of the norm: what 0.03 in ln of the mean square is (width 256, depth 40, six seeds)


@dataclass(frozen=True, slots=True)
class Setting:
    """One kind of stack: its activation, its widths, its shortcut (``None`` is a plain one) and the factor before the branch."""

    activation: str
    shortcut: str | None
    scale: float | str = 1.0

    @property
    def label(self) -> str:
        """The setting as it stands in tables."""
        factor = "" if self.shortcut is None or self.scale == 1.0 else f", s = {self.scale}"
        return f"{self.activation}, {self.shortcut or 'plain'}{factor}"


SETTINGS = (
    Setting("sigmoid", None),
    Setting("sigmoid", "identity"),
    Setting("relu", None),
    Setting("relu", "identity"),
    Setting("relu", "identity", "1/sqrt(L)"),
    Setting("relu", "zero_pad"),
    Setting("relu", "projection"),
)
BY_LABEL = {setting.label: setting for setting in SETTINGS}
DERIVED = "derivation: the squared norm of a gradient is multiplied by |S|_F²/n_out + s² σ_w² E[φ'²] per block, S the shortcut's matrix"
BOUNDS = "derivation: 1 ≤ 1 + E[φ'²] ≤ 1 + 1/16 per block"


class IdentityShortcut(AbstractExperiment):
    r"""Compares the gradient's growth per block with and without shortcuts, at the same depth and with the same weights (:math:`\sigma_w^2 = 1`).

    A block's Jacobian is :math:`S + s J_f` with the shortcut's matrix S. The branch's weights are independent with mean zero, so the squared norms add:
    :math:`E\lVert \delta_{\ell} \rVert^2 = (\lVert S \rVert_F^2 / n_{out} + s^2 \sigma_w^2 E[\varphi'^2]) \lVert \delta_{\ell+1} \rVert^2`. The first term is
    1 for the identity, :math:`n_{in} / n_{out}` for zero padding and, for a projection, what its weights make it.

    Limits:
        At initialisation, without normalisation. The sum takes the gradient to be isotropic over the features, as a random read-out makes it. For the
        sigmoid with shortcuts the pre-activations keep growing, and only bounds are known.

    References:
        He et al. 2016, *Identity mappings in deep residual networks*; Hayou et al. 2021.
    """

    name: ClassVar = "identity-shortcut"
    title: ClassVar = both("Gradients with and without identity shortcuts", "恒等ショートカットの有無と勾配")
    question: ClassVar = both(
        "What does the identity past every block do to the gradients of a network of the same depth?",
        "同じ深さのネットワークで、各ブロックを迂回する恒等写像は勾配をどう変えるか。",
    )
    claim: ClassVar = both("Identity mappings stabilise deep learning.", "恒等写像は深層学習を安定させる。")
    citation: ClassVar = "He et al. 2016 (arXiv 1603.05027); Hayou et al. 2021 (arXiv 2010.12859)"
    seconds: ClassVar = (6.0, 25.0)

    def conditions(self, *, quick: bool, seed: int) -> Sequence[Row]:
        """Every setting with every seed."""
        return [{"seed": number, "setting": setting.label} for number in paired_seeds(seed, 6 if quick else 24) for setting in SETTINGS]

    def measure(self, condition: Row) -> Row:
        """Measure the profile of the gradient's norm in decades, its growth per block, and the growth that the theory expects."""
        setting, number = BY_LABEL[condition["setting"]], condition["seed"]
        activation = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}[setting.activation]
        widths = EVEN if setting.shortcut in (None, "identity") else GROWING
        if setting.shortcut is None:
            stack = plain_stack(activation, widths, weight_variance=1.0, seed=number)
        else:
            stack = residual_stack(activation, widths, weight_variance=1.0, shortcut=setting.shortcut, scale=setting.scale, seed=number)
        x = torch.randn(SAMPLES, widths[0], dtype=torch.float64, generator=generator_of(number + 500))
        squares = profile(stack, x, seed=number + 700).gradient * np.array(widths)
        decades = np.log10(squares / squares[-1]) / 2
        return {"profile": decades, "growth": decades[0] / DEPTH, "expected": sum(_expected(part, setting) for part in stack) / DEPTH}

    def checks(self, rows: Rows) -> Sequence[Check]:
        """The growth of the norm per block for ReLU, where the theory is closed; for the sigmoid with shortcuts the two bounds."""
        found = []
        for label, setting in BY_LABEL.items():
            here = rows.where(setting=label)
            name, name_ja = f"growth of the norm per block, {label}", f"ブロックあたりのノルムの増加、{label}"
            if setting.activation == "relu":
                found.append(Check(name, here.mean("growth"), here.mean("expected"), TOLERANCE, unit="decades", source=DERIVED, name_ja=name_ja))
        low, high = 0.0, math.log10(17 / 16) / 2
        middle, half = (low + high) / 2, (high - low) / 2
        growth = rows.where(setting="sigmoid, identity").mean("growth")
        name, name_ja = "growth of the norm per block, sigmoid, identity", "ブロックあたりのノルムの増加、sigmoid, identity"
        return [*found, Check(name, growth, middle, half + TOLERANCE, unit="decades", source=BOUNDS, name_ja=name_ja)]

    def tables(self, rows: Rows) -> Sequence[Table]:
        """Growth per block and over the whole depth."""
        columns = [("network", "ネットワーク"), ("decades per block", "桁/ブロック"), ("theory", "理論"), (f"over {DEPTH} blocks", f"{DEPTH} ブロック全体")]
        found = [(label, rows.where(setting=label)) for label in BY_LABEL]
        cells = [(label, here.mean("growth"), here.mean("expected"), 10.0 ** (DEPTH * here.mean("growth"))) for label, here in found]
        return [Table.of(both("Growth of the gradient's norm towards the input", "入力に向かう勾配ノルムの増加"), columns, cells)]

    def finding(self, rows: Rows) -> Sentence:
        """The finding."""
        labels = ("sigmoid, plain", "relu, plain", "relu, identity", "relu, identity, s = 1/sqrt(L)")
        sigmoid, plain, one, root = (short(10.0 ** (DEPTH * rows.where(setting=label).mean("growth"))) for label in labels)
        return both(
            f"Over {DEPTH} blocks with σ_w² = 1 a plain ReLU network leaves {plain} of the gradient (sigmoid: {sigmoid}); with identity shortcuts it grows "
            f"{one}-fold, and with the factor 1/√L {root}-fold: shortcuts end the calm, scaling keeps the breeze.",
            f"σ_w² = 1 の {DEPTH} ブロックで残る勾配は、素の ReLU では {plain} 倍（シグモイドでは {sigmoid} 倍）です。"
            f"恒等ショートカットを加えると {one} 倍、係数 1/√L を掛けると {root} 倍です。無風を終わらせるのはショートカット、微風を保つのはスケーリングです。",
        )

    def draw(self, rows: Rows, language: str) -> "Figure":
        """Gradient norms over the blocks."""
        lines = {label: rows.where(setting=label).mean("profile") for label in BY_LABEL if len(rows.where(setting=label)) and label != "sigmoid, plain"}
        title = both("Without shortcuts the gradient fades; with them it does not", "ショートカットがないと勾配は消え、あれば消えない")
        labels = both("block (input on the left)", "ブロック（左が入力）"), both("gradient norm, decades (log10)", "勾配ノルム（log10）")
        return line_figure(lines, title=title, labels=labels, language=language, width=8.4)


def _expected(part: nn.Module, setting: Setting) -> float:
    """Return the growth in decades of the norm that the theory gives one block; for a sigmoid NaN, as its E[φ'²] depends on the place."""
    if setting.activation != "relu":
        return math.nan
    linear = next(module for module in part.modules() if isinstance(module, nn.Linear))
    past = {None: 0.0, "identity": 1.0, "zero_pad": linear.in_features / linear.out_features}.get(setting.shortcut, 1.0)
    if setting.shortcut == "projection" and linear.in_features != linear.out_features:
        past = float(dict(part.named_parameters())["residual_sum.projection.weight"].detach().square().sum()) / linear.out_features
    branch = 0.5 * (DEPTH**-1.0 if setting.scale == "1/sqrt(L)" else 1.0)  # s² σ_w² E[φ'²]: half of the units are active
    return math.log10(past + branch) / 2
