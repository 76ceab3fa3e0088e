"""ReGLU: values times ReLU gates."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from ...records import Sentence
from ._base import AbstractGate


class Reglu(AbstractGate):
    r""":math:`\varphi(a, b) = a\,\max(0, b)`."""

    name: ClassVar = "reglu"
    title: ClassVar = "ReGLU"
    formula: ClassVar = r"\varphi(a, b) = a\,\max(0, b)"
    trait: ClassVar = Sentence("A gated unit whose gate is a ReLU.", "ゲートが ReLU のゲート付きユニットです。")
    advantage: ClassVar = Sentence("Sparse, and cheap for a gate.", "疎で、ゲートとしては計算が軽くなります。")
    disadvantage: ClassVar = Sentence(
        "A shut gate passes no gradient to either half; its slope has no bound.",
        "閉じたゲートはどちらの半分にも勾配を通しません。傾きに上限がありません。",
    )
    suits: ClassVar = Sentence("Feed-forward blocks of transformers.", "トランスフォーマーの全結合ブロック。")
    references: ClassVar = ("Shazeer 2020, arXiv 2002.05202",)

    def gate(self, b: Tensor) -> Tensor:
        """Return g(b)."""
        return F.relu(b)
