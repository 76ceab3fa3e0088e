"""PReLU: a leaky ReLU that learns its slope."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation


class Prelu(AbstractActivation):
    r""":math:`\varphi(x) = \max(0, x) + a\,\min(0, x),\quad a\ \mathrm{learned}`

    Limits:
        The numbers of the catalogue are those of the slope at the start, ``init``.
    """

    name: ClassVar = "prelu"
    title: ClassVar = "PReLU"
    aliases: ClassVar = ("parametric_relu",)
    family: ClassVar = "rectifier"
    formula: ClassVar = r"\varphi(x) = \max(0, x) + a\,\min(0, x),\quad a\ \mathrm{learned}"
    parameters: ClassVar = {"init": 0.25}
    is_learned: ClassVar = True
    trait: ClassVar = Sentence("A leaky ReLU whose negative slope is trained with the weights.", "負側の傾きを重みと一緒に学習する ReLU です。")
    advantage: ClassVar = Sentence(
        "The network finds the slope it needs, at the cost of one number per layer or channel.",
        "層またはチャネルごとに一つの数だけで、必要な傾きを自ら見つけます。",
    )
    disadvantage: ClassVar = Sentence(
        "The slope must be kept out of weight decay, and may become any number.", "傾きを重み減衰から外す必要があり、どんな値にもなり得ます。"
    )
    suits: ClassVar = Sentence("Deep convolutional networks for images.", "画像向けの深い畳み込みネット。")
    references: ClassVar = ("He et al. 2015, arXiv 1502.01852",)

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        return F.prelu(x, torch.as_tensor(self.given(parameters)["init"], dtype=x.dtype, device=x.device))

    def module(self, **parameters: float) -> nn.Module:
        """Return torch's module."""
        return nn.PReLU(init=self.given(parameters)["init"])
