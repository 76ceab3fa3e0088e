"""Sigmoid: the logistic function."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Sigmoid(AbstractActivation):
    r""":math:`\varphi(x) = \frac{1}{1 + e^{-x}}`."""

    name: ClassVar = "sigmoid"
    title: ClassVar = "Sigmoid"
    aliases: ClassVar = ("logistic", "expit")
    family: ClassVar = "squashing"
    formula: ClassVar = r"\varphi(x) = \frac{1}{1 + e^{-x}}"
    trait: ClassVar = Sentence("Squeezes the real line smoothly into the numbers between 0 and 1.", "実数全体を 0 と 1 の間に滑らかに押し込めます。")
    advantage: ClassVar = Sentence("The output is a probability, and smooth everywhere.", "出力を確率と読め、どこでも滑らかです。")
    disadvantage: ClassVar = Sentence(
        "Saturates on both sides, and its slope is small even at its steepest: gradients vanish through depth. Not zero-centred.",
        "両側で飽和し、最も急な所でも傾きが小さいため、深い層では勾配が消失します。出力がゼロ中心でもありません。",
    )
    suits: ClassVar = Sentence("The output of a binary classifier; gates of LSTM and GRU.", "二値分類の出力。LSTM や GRU のゲート。")
    gain_note: ClassVar = Sentence(
        "PyTorch's 1 means no correction; it is derived from no moment of the sigmoid.",
        "PyTorch の 1 は「補正なし」の意味で、シグモイドのモーメントから導かれた値ではありません。",
    )
    references: ClassVar = (
        "Rumelhart, Hinton and Williams 1986, Nature 323, 533-536",
        "Glorot and Bengio 2010, PMLR 9, 249-256",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return torch.sigmoid(x)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.Sigmoid()
