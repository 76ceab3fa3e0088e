"""Step: the threshold of the first artificial neurons."""

from typing import ClassVar

from torch import Tensor, nn

from ...records import Sentence
from ._base import AbstractActivation, Applied


class Step(AbstractActivation):
    r""":math:`\varphi(x) = 1\ (x \geq 0),\quad 0\ (x < 0)`

    Limits:
        At 0 it fires: a sum that reaches the threshold is enough. torch.heaviside leaves that choice to the caller.
    """

    name: ClassVar = "step"
    title: ClassVar = "Step (Heaviside)"
    aliases: ClassVar = ("heaviside", "threshold", "binary_step")
    family: ClassVar = "threshold"
    formula: ClassVar = r"\varphi(x) = 1\ (x \geq 0),\quad 0\ (x < 0)"
    trait: ClassVar = Sentence("Fires or does not: the output is one of two numbers.", "発火するかしないかの二値を出力します。")
    advantage: ClassVar = Sentence("The simplest model of a neuron; its output is a bit.", "最も単純なニューロンのモデルで、出力は 1 ビットです。")
    disadvantage: ClassVar = Sentence(
        "Its slope is zero wherever it exists, so gradient descent cannot train what lies before it.",
        "微分は存在する点ではすべてゼロなので、勾配法ではその手前の層を学習できません。",
    )
    suits: ClassVar = Sentence(
        "Logic with threshold neurons; spiking and binary networks together with a surrogate gradient.",
        "閾値ニューロンの論理回路。代理勾配と組み合わせたスパイキングネットや二値ネット。",
    )
    references: ClassVar = (
        "McCulloch and Pitts 1943, Bull. Math. Biophys. 5, 115-133",
        "Rosenblatt 1958, Psychol. Rev. 65, 386-408",
    )

    def function(self, x: Tensor, **parameters: float) -> Tensor:
        """Return φ(x)."""
        self.given(parameters)
        return (x >= 0).to(x.dtype)

    def module(self, **parameters: float) -> nn.Module:
        """Return a module of our own: torch has none."""
        return Applied(self, **parameters)
