"""Softsign: a squashing function with algebraic tails."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Softsign(AbstractActivation):
    r""":math:`\varphi(x) = \frac{x}{1 + |x|}`."""

    name: ClassVar = "softsign"
    title: ClassVar = "Softsign"
    family: ClassVar = "squashing"
    formula: ClassVar = r"\varphi(x) = \frac{x}{1 + |x|}"
    trait: ClassVar = Sentence("Squeezes like tanh, but approaches its bounds slowly.", "tanh に似ていますが、上下限にゆっくり近づきます。")
    advantage: ClassVar = Sentence("Zero-centred, without exponentials, and saturates gently.", "ゼロ中心で指数関数が不要、飽和も緩やかです。")
    disadvantage: ClassVar = Sentence(
        "Its slope falls off at once from zero on, and jumps in its second derivative there.",
        "ゼロから離れるとすぐ傾きが落ち、ゼロで二階微分が跳びます。",
    )
    suits: ClassVar = Sentence("Bounded hidden layers; audio and control.", "有界な隠れ層。音声や制御。")
    references: ClassVar = (
        "Bergstra et al. 2009, Universite de Montreal, technical report 1337",
        "Glorot and Bengio 2010, PMLR 9, 249-256",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return x / (1 + torch.maximum(x, -x))

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.Softsign()
