"""SiLU, also called Swish: the number times its own sigmoid."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation, Applied


class Silu(AbstractActivation):
    r""":math:`\varphi(x) = \frac{x}{1 + e^{-\beta x}}`."""

    name: ClassVar = "silu"
    title: ClassVar = "SiLU (Swish)"
    aliases: ClassVar = ("swish", "swish1")
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = \frac{x}{1 + e^{-\beta x}}"
    parameters: ClassVar = {"beta": 1.0}
    trait: ClassVar = Sentence("A smooth ReLU that dips below zero before it levels off.", "ゼロの少し下にくぼみを持つ、滑らかな ReLU です。")
    advantage: ClassVar = Sentence(
        "Smooth, not monotone, and its slope can exceed one: gradients pass well.",
        "滑らかで単調でなく、傾きが 1 を超えられるため、勾配がよく通ります。",
    )
    disadvantage: ClassVar = Sentence(
        "Costs a sigmoid; large negative inputs are as good as dead.", "シグモイド一回分の計算が要り、大きな負の入力では実質的に死にます。"
    )
    suits: ClassVar = Sentence("Hidden layers of modern convolutional and language models.", "近年の畳み込みネットや言語モデルの隠れ層。")
    references: ClassVar = (
        "Hendrycks and Gimpel 2016, arXiv 1606.08415",
        "Elfwing, Uchibe and Doya 2018, arXiv 1702.03118",
        "Ramachandran, Zoph and Le 2017, arXiv 1710.05941",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        return x * torch.sigmoid(self.given(parameters)["beta"] * x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module, which has β = 1, or one of our own for another β."""
        return nn.SiLU() if self.given(parameters)["beta"] == 1 else Applied(self, **parameters)
