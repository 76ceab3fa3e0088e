"""GEGLU: values times GELU gates."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from ...records import Sentence
from ._base import AbstractGate


class Geglu(AbstractGate):
    r""":math:`\varphi(a, b) = a\,b\,\Phi(b)`."""

    name: ClassVar = "geglu"
    title: ClassVar = "GEGLU"
    formula: ClassVar = r"\varphi(a, b) = a\,b\,\Phi(b)"
    trait: ClassVar = Sentence("A gated unit whose gate is a GELU.", "ゲートが GELU のゲート付きユニットです。")
    advantage: ClassVar = Sentence("Among the best of its family in language models of equal size.", "同規模の言語モデルで、この族の中でも良い成績を示します。")
    disadvantage: ClassVar = Sentence("Needs two linear maps per layer; its slope has no bound.", "層ごとに線形写像が二つ必要で、傾きに上限がありません。")
    suits: ClassVar = Sentence("Feed-forward blocks of transformers.", "トランスフォーマーの全結合ブロック。")
    references: ClassVar = ("Shazeer 2020, arXiv 2002.05202",)

    def gate(self, b: Tensor) -> Tensor:
        """Return g(b)."""
        return F.gelu(b)
