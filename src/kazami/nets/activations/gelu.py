"""GELU: the number times the probability that a normal one is smaller."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Gelu(AbstractActivation):
    r""":math:`\varphi(x) = x\,\Phi(x) = \frac{x}{2} (1 + \operatorname{erf}(\frac{x}{\sqrt{2}}))`."""

    name: ClassVar = "gelu"
    title: ClassVar = "GELU"
    aliases: ClassVar = ("gelu_exact", "gelu_erf")
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = x\,\Phi(x) = \frac{x}{2} (1 + \operatorname{erf}(\frac{x}{\sqrt{2}}))"
    trait: ClassVar = Sentence("Weights its input by how large it is among normal numbers.", "正規分布の中での大きさに応じて入力を重み付けします。")
    advantage: ClassVar = Sentence(
        "Smooth, and its slope can exceed one: gradients pass well in very deep models.",
        "滑らかで傾きが 1 を超えられ、非常に深いモデルでも勾配がよく通ります。",
    )
    disadvantage: ClassVar = Sentence(
        "Costs an error function; large negative inputs are as good as dead.", "誤差関数の計算が要り、大きな負の入力では実質的に死にます。"
    )
    suits: ClassVar = Sentence("Transformers.", "トランスフォーマー。")
    references: ClassVar = ("Hendrycks and Gimpel 2016, arXiv 1606.08415",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return F.gelu(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.GELU()
