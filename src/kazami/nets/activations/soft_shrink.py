"""Softshrink: the soft threshold."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class SoftShrink(AbstractActivation):
    r""":math:`\varphi(x) = \max(0, x - \lambda) + \min(0, x + \lambda)`."""

    name: ClassVar = "soft_shrink"
    title: ClassVar = "Softshrink"
    aliases: ClassVar = ("softshrink", "soft_threshold")
    family: ClassVar = "shrinkage"
    formula: ClassVar = r"\varphi(x) = \max(0, x - \lambda) + \min(0, x + \lambda)"
    parameters: ClassVar = {"lambd": 0.5}
    trait: ClassVar = Sentence("Sets small numbers to zero and moves all others towards it.", "小さい数をゼロにし、他の数をゼロに近づけます。")
    advantage: ClassVar = Sentence("Makes signals sparse; it is the proximal step of an L1 penalty.", "信号を疎にします。L1 罰則の近接写像です。")
    disadvantage: ClassVar = Sentence("Dead around zero, where the inputs of a fresh network lie.", "新しいネットの入力が集まるゼロ付近で死んでいます。")
    suits: ClassVar = Sentence("Denoising, unrolled sparse coding.", "雑音除去、展開型スパース符号化。")
    references: ClassVar = (
        "Donoho 1995, IEEE Trans. Inf. Theory 41, 613-627",
        "Gregor and LeCun 2010, ICML, 399-406",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        return F.softshrink(x, self.given(parameters)["lambd"])

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        return nn.Softshrink(self.given(parameters)["lambd"])
