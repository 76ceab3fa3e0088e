"""Bilinear: values times gates, with nothing in between."""

from typing import ClassVar

from torch import Tensor

from ...records import Sentence
from ._base import AbstractGate


class Bilinear(AbstractGate):
    r""":math:`\varphi(a, b) = a\,b`."""

    name: ClassVar = "bilinear"
    title: ClassVar = "Bilinear"
    formula: ClassVar = r"\varphi(a, b) = a\,b"
    trait: ClassVar = Sentence("A gated unit without any gate function: a plain product.", "ゲート関数を持たない、単なる積のゲート付きユニットです。")
    advantage: ClassVar = Sentence(
        "Polynomial, so what a network of them computes can be written down.", "多項式なので、ネットワークの計算を式で書き下せます。"
    )
    disadvantage: ClassVar = Sentence(
        "Grows as a square: large signals explode, small ones vanish.", "二次で増えるため、大きな信号は発散し、小さな信号は消えます。"
    )
    suits: ClassVar = Sentence("Feed-forward blocks; networks that are to be interpreted.", "全結合ブロック。解釈を目的とするネットワーク。")
    references: ClassVar = (
        "Dauphin et al. 2017, arXiv 1612.08083",
        "Shazeer 2020, arXiv 2002.05202",
    )

    def gate(self, b: Tensor) -> Tensor:
        """Return g(b)."""
        return b
