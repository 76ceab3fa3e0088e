"""GELU in its tanh approximation."""

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class GeluTanh(AbstractActivation):
    r""":math:`\varphi(x) = \frac{x}{2} (1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715\,x^{3})))`."""

    name: ClassVar = "gelu_tanh"
    title: ClassVar = "GELU (tanh)"
    aliases: ClassVar = ("gelu_new", "gelu_approximate")
    family: ClassVar = "smooth rectifier"
    formula: ClassVar = r"\varphi(x) = \frac{x}{2} (1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715\,x^{3})))"
    trait: ClassVar = Sentence("GELU with its error function approximated by a tanh.", "GELU の誤差関数を tanh で近似したものです。")
    advantage: ClassVar = Sentence("As GELU, and faster where erf is slow.", "GELU と同じ性質で、erf が遅い環境では高速です。")
    disadvantage: ClassVar = Sentence(
        "Not the same function: weights trained with one form belong to that form.",
        "GELU と同じ関数ではなく、一方で学習した重みは他方にそのまま使えません。",
    )
    suits: ClassVar = Sentence("GPT-2 and models descended from it.", "GPT-2 とその系譜のモデル。")
    references: ClassVar = ("Hendrycks and Gimpel 2016, arXiv 1606.08415",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return F.gelu(x, approximate="tanh")

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        self.given(parameters)
        return nn.GELU(approximate="tanh")
