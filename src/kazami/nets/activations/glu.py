"""GLU: values times sigmoid gates."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractGate


class Glu(AbstractGate):
    r""":math:`\varphi(a, b) = a\,\sigma(b)`."""

    name: ClassVar = "glu"
    title: ClassVar = "GLU"
    aliases: ClassVar = ("gated_linear_unit",)
    formula: ClassVar = r"\varphi(a, b) = a\,\sigma(b)"
    trait: ClassVar = Sentence("One half of the units opens and shuts the other half.", "ユニットの半分が、残り半分を開閉します。")
    advantage: ClassVar = Sentence(
        "The value keeps a linear path for its gradient while the gate decides.", "ゲートが選択する一方で、値には線形の勾配の通り道が残ります。"
    )
    disadvantage: ClassVar = Sentence(
        "Needs two linear maps per layer; its slope grows with the value, so it has no bound.",
        "層ごとに線形写像が二つ必要で、傾きは値とともに大きくなり上限がありません。",
    )
    suits: ClassVar = Sentence(
        "Convolutional language models, feed-forward blocks of transformers.", "畳み込み言語モデル、トランスフォーマーの全結合ブロック。"
    )
    references: ClassVar = (
        "Dauphin et al. 2017, arXiv 1612.08083",
        "Shazeer 2020, arXiv 2002.05202",
    )

    def gate(self, b: Tensor) -> Tensor:
        """Return g(b)."""
        return torch.sigmoid(b)

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.GLU()
