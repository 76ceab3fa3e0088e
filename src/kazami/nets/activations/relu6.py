"""ReLU6: a ReLU with a ceiling."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Relu6(AbstractActivation):
    r""":math:`\varphi(x) = \min(6, \max(0, x))`."""

    name: ClassVar = "relu6"
    title: ClassVar = "ReLU6"
    family: ClassVar = "rectifier"
    formula: ClassVar = r"\varphi(x) = \min(6, \max(0, x))"
    trait: ClassVar = Sentence("A ReLU that is cut off at 6.", "6 で頭打ちになる ReLU です。")
    advantage: ClassVar = Sentence("Bounded, so few bits represent it well.", "有界なので、少ないビット数でも良く表せます。")
    disadvantage: ClassVar = Sentence("Dead on both sides: below zero and above six.", "0 より下と 6 より上の両側で勾配が死にます。")
    suits: ClassVar = Sentence("Quantised networks for mobile devices.", "量子化したモバイル向けネットワーク。")
    references: ClassVar = (
        "Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10",
        "Sandler et al. 2018, arXiv 1801.04381",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return F.relu6(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.ReLU6()
