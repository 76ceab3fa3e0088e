"""Identity: what goes in comes out."""

from typing import ClassVar

from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Identity(AbstractActivation):
    r""":math:`\varphi(x) = x`."""

    name: ClassVar = "identity"
    title: ClassVar = "Identity"
    aliases: ClassVar = ("linear", "none")
    family: ClassVar = "linear"
    formula: ClassVar = r"\varphi(x) = x"
    trait: ClassVar = Sentence("Gives back its input unchanged, like a mirror.", "鏡のように、入力をそのまま返します。")
    advantage: ClassVar = Sentence("Loses no information and no gradient; outputs are unbounded.", "情報も勾配も失わず、出力に上限がありません。")
    disadvantage: ClassVar = Sentence(
        "Layers without a non-linearity between them collapse into one linear layer, however many they are.",
        "間に非線形性がない層は、何層重ねても一つの線形層につぶれます。",
    )
    suits: ClassVar = Sentence("The output layer of a regression; shortcuts past layers.", "回帰の出力層。層を飛び越えるショートカット。")
    references: ClassVar = (
        "Saxe, McClelland and Ganguli 2014, arXiv 1312.6120",
        "He et al. 2016, arXiv 1603.05027",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return x

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.Identity()
