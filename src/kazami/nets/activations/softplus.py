"""Softplus: the smooth ReLU, integral of the sigmoid."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Softplus(AbstractActivation):
    r""":math:`\varphi(x) = \frac{1}{\beta} \log(1 + e^{\beta x})`

    Limits:
        ``nn.Softplus`` returns x itself where βx > 20 (its ``threshold``): off by up to 2.1e-9/β. The numbers of the catalogue are those of the formula.
    """

    name: ClassVar = "softplus"
    title: ClassVar = "Softplus"
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = \frac{1}{\beta} \log(1 + e^{\beta x})"
    parameters: ClassVar = {"beta": 1.0}
    trait: ClassVar = Sentence("A ReLU with its corner rounded off; its slope is the sigmoid.", "角を丸めた ReLU で、その傾きがシグモイドです。")
    advantage: ClassVar = Sentence("Always positive and smooth.", "常に正で滑らかです。")
    disadvantage: ClassVar = Sentence(
        "Never zero, so outputs are neither sparse nor centred; it seldom beats ReLU in hidden layers.",
        "ゼロにならず、出力は疎でもゼロ中心でもありません。隠れ層で ReLU に勝つことは稀です。",
    )
    suits: ClassVar = Sentence("Outputs that must be positive: variances, rates.", "正でなければならない出力（分散、強度など）。")
    references: ClassVar = (
        "Dugas et al. 2001, NIPS 13, 472-478",
        "Glorot, Bordes and Bengio 2011, PMLR 15, 315-323",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        beta = self.given(parameters)["beta"]
        return torch.logaddexp(beta * x, torch.zeros_like(x)) / beta

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        return nn.Softplus(self.given(parameters)["beta"])
