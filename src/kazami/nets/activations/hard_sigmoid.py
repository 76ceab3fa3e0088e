"""Hard sigmoid: the sigmoid made of three straight pieces."""

from typing import ClassVar

from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class HardSigmoid(AbstractActivation):
    r""":math:`\varphi(x) = \min(1, \max(0, \frac{x}{6} + \frac{1}{2}))`

    Limits:
        The backward pass of ``nn.Hardsigmoid`` multiplies by 1/6 rounded to float32, also in float64: a relative error of 3e-8. Other
        libraries take other slopes.
    """

    name: ClassVar = "hard_sigmoid"
    title: ClassVar = "Hard sigmoid"
    aliases: ClassVar = ("hardsigmoid",)
    family: ClassVar = "squashing"
    formula: ClassVar = r"\varphi(x) = \min(1, \max(0, \frac{x}{6} + \frac{1}{2}))"
    trait: ClassVar = Sentence("A straight line between two flat pieces, near the sigmoid.", "シグモイドを三本の直線で近似します。")
    advantage: ClassVar = Sentence("Cheap to compute and exact in fixed-point arithmetic.", "計算が軽く、固定小数点でも正確です。")
    disadvantage: ClassVar = Sentence("Outside its middle piece the gradient is exactly zero.", "中央の区間の外では勾配が完全にゼロになります。")
    suits: ClassVar = Sentence("Gates of networks for small devices.", "小型機器向けネットワークのゲート。")
    references: ClassVar = (
        "Courbariaux, Bengio and David 2015, arXiv 1511.00363",
        "Howard et al. 2019, arXiv 1905.02244",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return (x / 6 + 0.5).clamp(0, 1)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.Hardsigmoid()
