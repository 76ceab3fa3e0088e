"""Hyperbolic tangent."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Tanh(AbstractActivation):
    r""":math:`\varphi(x) = \tanh(x)`."""

    name: ClassVar = "tanh"
    title: ClassVar = "Tanh"
    aliases: ClassVar = ("hyperbolic_tangent",)
    family: ClassVar = "squashing"
    formula: ClassVar = r"\varphi(x) = \tanh(x)"
    trait: ClassVar = Sentence("Squeezes the real line smoothly into the numbers between −1 and 1.", "実数全体を −1 と 1 の間に滑らかに押し込めます。")
    advantage: ClassVar = Sentence("Zero-centred and, near zero, almost the identity.", "ゼロ中心で、ゼロの近くではほぼ恒等関数です。")
    disadvantage: ClassVar = Sentence(
        "Saturates on both sides; deep stacks lose their gradients unless the weights are tuned to the edge of chaos.",
        "両側で飽和し、重みをカオスの縁に合わせない限り深い層で勾配が失われます。",
    )
    suits: ClassVar = Sentence("Recurrent networks, bounded outputs, mean-field theory.", "再帰型ネット、有界な出力、平均場理論。")
    gain_note: ClassVar = Sentence(
        "PyTorch's 5/3 is a convention, not derived in its documentation; it is a little above 1/sqrt(E φ²), so deep signals settle and do not fade.",
        "PyTorch の 5/3 は慣習値で、文書に導出はありません。1/sqrt(E φ²) より少し大きく、深い層でも信号が消えずに有限の大きさに落ち着きます。",
    )
    references: ClassVar = (
        "LeCun, Bottou, Orr and Mueller 1998, Efficient BackProp",
        "Glorot and Bengio 2010, PMLR 9, 249-256",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return torch.tanh(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.Tanh()
