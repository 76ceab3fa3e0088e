"""Quick GELU: GELU in its sigmoid approximation."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation, Applied


class QuickGelu(AbstractActivation):
    r""":math:`\varphi(x) = \frac{x}{1 + e^{-1.702 x}}`."""

    name: ClassVar = "quick_gelu"
    title: ClassVar = "Quick GELU"
    aliases: ClassVar = ("gelu_sigmoid",)
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = \frac{x}{1 + e^{-1.702 x}}"
    trait: ClassVar = Sentence(
        "GELU with its normal distribution approximated by a sigmoid: a Swish with another β.",
        "GELU の正規分布をシグモイドで近似した、β の違う Swish です。",
    )
    advantage: ClassVar = Sentence("The cheapest approximation of GELU.", "GELU の最も軽い近似です。")
    disadvantage: ClassVar = Sentence("The coarsest one: not interchangeable with GELU.", "最も粗い近似で、GELU と入れ替えられません。")
    suits: ClassVar = Sentence("CLIP and models descended from it.", "CLIP とその系譜のモデル。")
    references: ClassVar = (
        "Hendrycks and Gimpel 2016, arXiv 1606.08415",
        "Radford et al. 2021, arXiv 2103.00020",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return x * torch.sigmoid(1.702 * x)

    def module(self, **parameters: float) -> nn.Module:
        """Return a module of our own: torch has none."""
        return Applied(self, **parameters)
