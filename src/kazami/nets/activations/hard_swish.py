"""Hard swish: SiLU with the hard sigmoid."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class HardSwish(AbstractActivation):
    r""":math:`\varphi(x) = x\,\min(1, \max(0, \frac{x}{6} + \frac{1}{2}))`."""

    name: ClassVar = "hard_swish"
    title: ClassVar = "Hard swish"
    aliases: ClassVar = ("hardswish", "h_swish")
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = x\,\min(1, \max(0, \frac{x}{6} + \frac{1}{2}))"
    trait: ClassVar = Sentence("SiLU with its sigmoid replaced by straight pieces.", "SiLU のシグモイドを直線で置き換えたものです。")
    advantage: ClassVar = Sentence("Nearly as good as SiLU and far cheaper on small devices.", "SiLU に近い性能で、小型機器での計算がずっと軽くなります。")
    disadvantage: ClassVar = Sentence(
        "Exactly dead for large negative inputs, and its slope jumps twice.", "大きな負の入力では完全に死に、傾きが二か所で跳びます。"
    )
    suits: ClassVar = Sentence("Mobile networks.", "モバイル向けネットワーク。")
    references: ClassVar = ("Howard et al. 2019, arXiv 1905.02244",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return F.hardswish(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.Hardswish()
