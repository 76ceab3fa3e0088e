"""Softmax: N numbers become a probability distribution."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Softmax(AbstractActivation):
    r""":math:`\varphi_i(x) = \frac{e^{x_i}}{\sum_j e^{x_j}}`."""

    name: ClassVar = "softmax"
    title: ClassVar = "Softmax"
    family: ClassVar = "vector"
    kind: ClassVar = "vector"
    formula: ClassVar = r"\varphi_i(x) = \frac{e^{x_i}}{\sum_j e^{x_j}}"
    trait: ClassVar = Sentence("Turns N states into a probability distribution: positive and of sum 1.", "N 個の状態を、正で和が 1 の確率分布に変えます。")
    advantage: ClassVar = Sentence(
        "Keeps the order, is smooth, and adding a constant to all inputs changes nothing.",
        "順序を保ち滑らかで、全入力に同じ定数を足しても変わりません。",
    )
    disadvantage: ClassVar = Sentence(
        "Saturates when one input leads by far; before a cross-entropy that contains it already, it is applied twice.",
        "一つの入力が大きく先行すると飽和します。softmax を含む交差エントロピーの前に置くと二重になります。",
    )
    suits: ClassVar = Sentence("Outputs of classifiers, attention weights.", "分類器の出力、注意機構の重み。")
    references: ClassVar = (
        "Bridle 1990, Neurocomputing, NATO ASI F68, 227-236",
        "Gao and Pavel 2017, arXiv 1704.00805",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return torch.softmax(x, dim=-1)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.Softmax(dim=-1)
