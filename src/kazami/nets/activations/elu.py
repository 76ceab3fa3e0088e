"""ELU: the exponential linear unit."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Elu(AbstractActivation):
    r""":math:`\varphi(x) = \max(0, x) + \min(0, \alpha\,(e^{x} - 1))`."""

    name: ClassVar = "elu"
    title: ClassVar = "ELU"
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = \max(0, x) + \min(0, \alpha\,(e^{x} - 1))"
    parameters: ClassVar = {"alpha": 1.0}
    trait: ClassVar = Sentence(
        "The identity for positive numbers, an exponential that levels off for negative ones.",
        "正では恒等関数、負では指数関数的に一定値に近づきます。",
    )
    advantage: ClassVar = Sentence(
        "Negative outputs bring the mean nearer to zero, and the gradient does not stop at zero.",
        "負の出力が平均をゼロに近づけ、ゼロで勾配が途切れません。",
    )
    disadvantage: ClassVar = Sentence("Needs an exponential, and saturates on the negative side.", "指数関数の計算が要り、負側では飽和します。")
    suits: ClassVar = Sentence("Hidden layers without normalisation.", "正規化層のない隠れ層。")
    references: ClassVar = ("Clevert, Unterthiner and Hochreiter 2016, arXiv 1511.07289",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        return F.elu(x, self.given(parameters)["alpha"])

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        return nn.ELU(self.given(parameters)["alpha"])
