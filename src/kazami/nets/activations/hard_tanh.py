"""Hard tanh: the identity between two bounds."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class HardTanh(AbstractActivation):
    r""":math:`\varphi(x) = \min(b, \max(a, x))`."""

    name: ClassVar = "hard_tanh"
    title: ClassVar = "Hard tanh"
    aliases: ClassVar = ("hardtanh", "clip", "clamp")
    family: ClassVar = "squashing"
    formula: ClassVar = r"\varphi(x) = \min(b, \max(a, x))"
    parameters: ClassVar = {"min_val": -1.0, "max_val": 1.0}
    trait: ClassVar = Sentence("The identity, cut off at both ends.", "両端で切り落とした恒等関数です。")
    advantage: ClassVar = Sentence("Bounded and cheap; inside its bounds nothing is lost.", "有界で計算が軽く、範囲内では何も失いません。")
    disadvantage: ClassVar = Sentence("Outside its bounds the gradient is exactly zero.", "範囲の外では勾配が完全にゼロになります。")
    suits: ClassVar = Sentence("Quantised and binarised networks, bounded controls.", "量子化・二値化ネットワーク、有界な制御出力。")
    references: ClassVar = (
        "Collobert 2004, Large scale machine learning, PhD thesis, Paris VI",
        "Hubara et al. 2016, arXiv 1602.02830",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        given = self.given(parameters)
        return F.hardtanh(x, given["min_val"], given["max_val"])

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        given = self.given(parameters)
        return nn.Hardtanh(given["min_val"], given["max_val"])
