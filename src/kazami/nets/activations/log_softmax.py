"""Log-softmax: the logarithm of a probability distribution."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class LogSoftmax(AbstractActivation):
    r""":math:`\varphi_i(x) = x_i - \log \sum_j e^{x_j}`."""

    name: ClassVar = "log_softmax"
    title: ClassVar = "Log-softmax"
    aliases: ClassVar = ("logsoftmax",)
    family: ClassVar = "vector"
    kind: ClassVar = "vector"
    formula: ClassVar = r"\varphi_i(x) = x_i - \log \sum_j e^{x_j}"
    trait: ClassVar = Sentence("The logarithm of softmax, computed without overflow.", "オーバーフローなく計算した softmax の対数です。")
    advantage: ClassVar = Sentence(
        "Exact where softmax has already been rounded to 0; with the negative log-likelihood it is the cross-entropy.",
        "softmax が 0 に丸められる所でも正確です。負の対数尤度と合わせると交差エントロピーになります。",
    )
    disadvantage: ClassVar = Sentence(
        "Not a distribution: read it as logarithms, and do not put it before a cross-entropy.",
        "分布そのものではなく対数です。交差エントロピーの前には置けません。",
    )
    suits: ClassVar = Sentence("Outputs before a negative log-likelihood.", "負の対数尤度の手前の出力。")
    references: ClassVar = ("Blanchard, Higham and Higham 2021, IMA J. Numer. Anal. 41, 2311-2330",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return torch.log_softmax(x, dim=-1)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.LogSoftmax(dim=-1)
