"""Sign: the threshold with outputs −1 and 1."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation, Applied


class Sign(AbstractActivation):
    r""":math:`\varphi(x) = \operatorname{sgn}(x)`."""

    name: ClassVar = "sign"
    title: ClassVar = "Sign"
    aliases: ClassVar = ("signum", "sgn")
    family: ClassVar = "threshold"
    formula: ClassVar = r"\varphi(x) = \operatorname{sgn}(x)"
    trait: ClassVar = Sentence("Keeps the sign of its input and forgets its size.", "入力の符号だけを残し、大きさを捨てます。")
    advantage: ClassVar = Sentence("Zero-centred binary outputs, which make multiplications cheap.", "ゼロ中心の二値出力で、乗算を安価にできます。")
    disadvantage: ClassVar = Sentence(
        "Its slope is zero wherever it exists; training needs a straight-through estimator.",
        "微分は存在する点ではすべてゼロで、学習にはストレートスルー推定が必要です。",
    )
    suits: ClassVar = Sentence("Perceptrons, Hopfield networks and binarised networks.", "パーセプトロン、ホップフィールドネット、二値化ネットワーク。")
    references: ClassVar = (
        "Rosenblatt 1958, Psychol. Rev. 65, 386-408",
        "Hubara et al. 2016, arXiv 1602.02830",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return torch.sign(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return a module of our own: torch has none."""
        return Applied(self, **parameters)
