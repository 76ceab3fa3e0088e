"""Mish: the number times the tanh of its softplus."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Mish(AbstractActivation):
    r""":math:`\varphi(x) = x \tanh(\log(1 + e^{x}))`."""

    name: ClassVar = "mish"
    title: ClassVar = "Mish"
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = x \tanh(\log(1 + e^{x}))"
    trait: ClassVar = Sentence("A smooth ReLU with a dip below zero, close to SiLU.", "SiLU に近い、ゼロの下にくぼみを持つ滑らかな ReLU です。")
    advantage: ClassVar = Sentence("Smooth, and keeps small negative values.", "滑らかで、小さな負の値を残します。")
    disadvantage: ClassVar = Sentence("The dearest of the smooth rectifiers.", "滑らかな整流型の中で最も計算が重くなります。")
    suits: ClassVar = Sentence("Object detection and other convolutional networks.", "物体検出などの畳み込みネット。")
    references: ClassVar = ("Misra 2020, arXiv 1908.08681",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return F.mish(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.Mish()
