"""Log-sigmoid: the logarithm of a probability."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class LogSigmoid(AbstractActivation):
    r""":math:`\varphi(x) = -\log(1 + e^{-x})`."""

    name: ClassVar = "log_sigmoid"
    title: ClassVar = "Log-sigmoid"
    aliases: ClassVar = ("logsigmoid",)
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = -\log(1 + e^{-x})"
    trait: ClassVar = Sentence(
        "The logarithm of the sigmoid, computed without overflow; a softplus turned round.",
        "オーバーフローなく計算したシグモイドの対数で、ソフトプラスを裏返したものです。",
    )
    advantage: ClassVar = Sentence("Log-likelihoods of binary decisions stay exact far out.", "二値判断の対数尤度を、極端な入力でも正確に保ちます。")
    disadvantage: ClassVar = Sentence("Never positive and not centred: of no use in hidden layers.", "正にならずゼロ中心でもないため、隠れ層には向きません。")
    suits: ClassVar = Sentence(
        "Losses: logistic regression, negative sampling, preference learning.", "損失関数（ロジスティック回帰、負例サンプリング、選好学習）。"
    )
    references: ClassVar = ("Mikolov et al. 2013, arXiv 1310.4546, equation 4",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return F.logsigmoid(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.LogSigmoid()
