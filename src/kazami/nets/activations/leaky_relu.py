"""Leaky ReLU: a ReLU whose negative side leaks."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class LeakyRelu(AbstractActivation):
    r""":math:`\varphi(x) = \max(0, x) + a\,\min(0, x)`."""

    name: ClassVar = "leaky_relu"
    title: ClassVar = "Leaky ReLU"
    aliases: ClassVar = ("leakyrelu", "lrelu")
    family: ClassVar = "rectifier"
    formula: ClassVar = r"\varphi(x) = \max(0, x) + a\,\min(0, x)"
    parameters: ClassVar = {"negative_slope": 0.01}
    trait: ClassVar = Sentence("A ReLU that lets a small share of negative numbers through.", "負の数もわずかに通す ReLU です。")
    advantage: ClassVar = Sentence("No unit can die, since the slope is nowhere zero.", "傾きがゼロになる所がなく、ユニットが死にません。")
    disadvantage: ClassVar = Sentence(
        "Outputs are not sparse, and the slope of the leak is one more number to choose.",
        "出力が疎にならず、負側の傾きという設定が一つ増えます。",
    )
    suits: ClassVar = Sentence(
        "Hidden layers in which ReLU units die; discriminators of adversarial networks.",
        "ReLU のユニットが死ぬ隠れ層。敵対的生成ネットの識別器。",
    )
    references: ClassVar = ("Maas, Hannun and Ng 2013, Rectifier nonlinearities improve neural network acoustic models",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        return F.leaky_relu(x, self.given(parameters)["negative_slope"])

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        return nn.LeakyReLU(self.given(parameters)["negative_slope"])
