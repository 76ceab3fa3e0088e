"""SELU: the self-normalising ELU."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Selu(AbstractActivation):
    r""":math:`\varphi(x) = \lambda\,(\max(0, x) + \min(0, \alpha\,(e^{x} - 1)))`."""

    name: ClassVar = "selu"
    title: ClassVar = "SELU"
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = \lambda\,(\max(0, x) + \min(0, \alpha\,(e^{x} - 1)))"
    trait: ClassVar = Sentence(
        "An ELU scaled so that mean 0 and variance 1 reproduce themselves from layer to layer.",
        "平均 0・分散 1 が層から層へ保たれるように係数を定めた ELU です。",
    )
    advantage: ClassVar = Sentence("Normalises deep fully connected networks without normalisation layers.", "正規化層なしで深い全結合ネットを正規化します。")
    disadvantage: ClassVar = Sentence(
        "Holds only for weights of variance 1/fan-in, plain feed-forward layers and alpha dropout.",
        "重みの分散が 1/fan-in で、単純な順伝播層と alpha dropout を使う場合にしか成り立ちません。",
    )
    suits: ClassVar = Sentence("Deep fully connected networks on tables of numbers.", "数値表を扱う深い全結合ネット。")
    gain_note: ClassVar = Sentence(
        "PyTorch's 3/4 was chosen for steadier gradients and gives up self-normalisation; its documentation says to use the gain of the identity for that.",
        "PyTorch の 3/4 は勾配の安定を優先した値で、自己正規化は失われます。自己正規化には恒等関数のゲインを使うよう文書にあります。",
    )
    references: ClassVar = ("Klambauer et al. 2017, arXiv 1706.02515",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return F.selu(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.SELU()
