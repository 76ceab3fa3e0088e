"""CELU: the ELU that stays differentiable for every α."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Celu(AbstractActivation):
    r""":math:`\varphi(x) = \max(0, x) + \min(0, \alpha\,(e^{x/\alpha} - 1))`."""

    name: ClassVar = "celu"
    title: ClassVar = "CELU"
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = \max(0, x) + \min(0, \alpha\,(e^{x/\alpha} - 1))"
    parameters: ClassVar = {"alpha": 1.0}
    trait: ClassVar = Sentence("An ELU whose slope is continuous whatever its parameter is.", "パラメータによらず傾きが連続な ELU です。")
    advantage: ClassVar = Sentence(
        "Its slope never exceeds one, and one parameter leads from ReLU to the identity.",
        "傾きが 1 を超えず、一つのパラメータで ReLU から恒等関数まで移れます。",
    )
    disadvantage: ClassVar = Sentence("Needs an exponential, and saturates on the negative side.", "指数関数の計算が要り、負側では飽和します。")
    suits: ClassVar = Sentence("Where an ELU with another α than 1 is wanted.", "1 以外の α で ELU を使いたい所。")
    references: ClassVar = ("Barron 2017, arXiv 1704.07483",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        return F.celu(x, self.given(parameters)["alpha"])

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        return nn.CELU(self.given(parameters)["alpha"])
