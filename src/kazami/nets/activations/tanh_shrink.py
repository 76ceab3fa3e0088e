"""Tanhshrink: what tanh leaves over."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class TanhShrink(AbstractActivation):
    r""":math:`\varphi(x) = x - \tanh(x)`."""

    name: ClassVar = "tanh_shrink"
    title: ClassVar = "Tanhshrink"
    aliases: ClassVar = ("tanhshrink",)
    family: ClassVar = "shrinkage"
    formula: ClassVar = r"\varphi(x) = x - \tanh(x)"
    trait: ClassVar = Sentence(
        "Shrinks small numbers towards zero smoothly and takes nearly one off large ones.",
        "小さい数を滑らかにゼロへ縮め、大きい数からはほぼ 1 を引きます。",
    )
    advantage: ClassVar = Sentence("Odd, smooth and unbounded.", "奇関数で滑らか、上限がありません。")
    disadvantage: ClassVar = Sentence(
        "Its slope is zero at zero: signals and gradients that are small die out fast through depth.",
        "ゼロで傾きがゼロなので、小さな信号と勾配は深い層で急速に消えます。",
    )
    suits: ClassVar = Sentence("Smooth shrinkage in sparse coding.", "スパース符号化における滑らかな縮小。")
    references: ClassVar = ("PyTorch documentation, torch.nn.Tanhshrink",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return F.tanhshrink(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.Tanhshrink()
