"""ReLU: the rectified linear unit."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Relu(AbstractActivation):
    r""":math:`\varphi(x) = \max(0, x)`."""

    name: ClassVar = "relu"
    title: ClassVar = "ReLU"
    aliases: ClassVar = ("rectifier", "ramp")
    family: ClassVar = "rectifier"
    formula: ClassVar = r"\varphi(x) = \max(0, x)"
    trait: ClassVar = Sentence("Lets positive numbers through and stops negative ones: a switch.", "正の数は通し、負の数は止めるスイッチです。")
    advantage: ClassVar = Sentence(
        "Its slope is exactly one while a unit is active, outputs are sparse, and it costs next to nothing.",
        "ユニットが動作中なら傾きはちょうど 1 で、出力が疎になり、計算もほとんどかかりません。",
    )
    disadvantage: ClassVar = Sentence(
        "Negative inputs all become one state and send back no gradient; a unit that is negative for every input is dead.",
        "負の入力はすべて同じ状態になり勾配も返しません。全入力で負になったユニットは死にます。",
    )
    suits: ClassVar = Sentence(
        "Hidden layers of feed-forward and convolutional networks, with He's initialisation.",
        "He の初期化と組み合わせた全結合・畳み込みネットの隠れ層。",
    )
    references: ClassVar = (
        "Nair and Hinton 2010, ICML, 807-814",
        "Glorot, Bordes and Bengio 2011, PMLR 15, 315-323",
        "He et al. 2015, arXiv 1502.01852",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return F.relu(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.ReLU()
