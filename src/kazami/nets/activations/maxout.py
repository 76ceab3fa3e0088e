"""Maxout: the largest of a group of units."""

from typing import ClassVar

from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation, Applied


class Maxout(AbstractActivation):
    r""":math:`\varphi(x_1, \ldots, x_k) = \max_i x_i`."""

    name: ClassVar = "maxout"
    title: ClassVar = "Maxout"
    family: ClassVar = "vector"
    kind: ClassVar = "vector"
    formula: ClassVar = r"\varphi(x_1, \ldots, x_k) = \max_i x_i"
    parameters: ClassVar = {"pieces": 2}
    trait: ClassVar = Sentence(
        "The largest of k linear pieces: a convex activation that is learned.", "k 個の線形関数の最大値、すなわち学習される凸な活性化関数です。"
    )
    advantage: ClassVar = Sentence(
        "Never dead and never saturated: exactly one piece always passes the whole gradient.",
        "死ぬことも飽和することもなく、必ず一つの要素が勾配をそのまま通します。",
    )
    disadvantage: ClassVar = Sentence("Needs k times the weights.", "重みが k 倍必要です。")
    suits: ClassVar = Sentence(
        "Networks with dropout; where one activation for all units is too little.",
        "dropout を使うネット。全ユニット共通の活性化では足りない所。",
    )
    references: ClassVar = ("Goodfellow et al. 2013, arXiv 1302.4389",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return the largest of each group of ``pieces`` neighbours along the last axis, whose size they must divide."""
        pieces = int(self.given(parameters)["pieces"])
        grouped: Tensor = x.unflatten(-1, (-1, pieces))
        return grouped.amax(dim=-1)

    def module(self, **parameters: float) -> nn.Module:
        """Return a module of our own: torch has none."""
        return Applied(self, **parameters)
