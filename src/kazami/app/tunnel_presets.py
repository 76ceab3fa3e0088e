"""What can be put into the wind tunnel: three trainings of different size, each with a range of learning rates in which it goes from rest to chaos."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..records.finding import Sentence
from .wire_tunnel import TileGrid, TunnelPreset

if TYPE_CHECKING:
    from ..maps import AbstractMap

SEED: Final = Sentence("seed of the initial weights", "初期重みのシード")
TILES: Final = TileGrid(low=1e-1, high=1e4, side=64, deepest=36)  # at level 36 neighbouring pixels differ in the last digits of a double
TILES_AT: Final = "KAZAMI_TUNNEL_TILES"  # the environment variable that tells a computing process where tiles are kept
LOSS: Final = Sentence("training loss", "訓練損失")


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A preset and how to make it.

    Attributes:
        preset: What the page is told.
        parameter: Name of the learning rate in the map.
        observe: What of the map is observed.
        make: Returns the map at a value of the second factor, ``None`` for the usual one.
    """

    preset: TunnelPreset
    parameter: str
    observe: str | int
    make: "Callable[[float | None], AbstractMap]"


def two_weights(start: float | None) -> "AbstractMap":
    """Return gradient descent on (w₁w₂ - 1)²/2 from equal weights, which stay equal: the cubic map with a = η, exactly."""
    import torch

    from ..maps import CubicDescent

    m: AbstractMap = CubicDescent()
    if start is not None:
        m.set_state(torch.tensor([start], dtype=torch.float64))
    return m


def twenty_weights(seed: float | None) -> "AbstractMap":
    """Return a 2-5-1 tanh network that learns XOR of 40 points, with weight decay."""
    import torch
    from torch import nn

    from ..maps import Training, TrainingMap

    generator = torch.Generator().manual_seed(0)
    inputs = 4.0 * torch.rand(40, 2, generator=generator, dtype=torch.float64) - 2.0
    targets = (inputs[:, :1] * inputs[:, 1:] > 0.0).double()
    training = Training(
        model=lambda: nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1, bias=False)).double(),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=1.0, weight_decay=0.01),
        loss=nn.functional.binary_cross_entropy_with_logits,
        batches=lambda: [(inputs, targets)],
        steps=1000,
        seed=int(seed or 0),
    )
    return TrainingMap(training)


def iris(seed: float | None) -> "AbstractMap":
    """Return the network of Danovski, Soriano and Lacasa 2024 on Iris."""
    from ..lab.experiments.danovski_2024 import PUBLISHED
    from ..lab.small_trainings import full_batch, gradient_descent, raw_iris
    from ..maps import TrainingMap

    return TrainingMap(full_batch(raw_iris(), PUBLISHED, gradient_descent(1.0, PUBLISHED.weight_decay), steps=1000, seed=int(seed or 0)))


TUNNELS: Final = {
    "two_weights": Tunnel(
        TunnelPreset(
            "two_weights",
            Sentence("Two weights: the cubic map (2 s)", "重み2つ：3次写像（2秒）"),
            Sentence(
                "Gradient descent on (w₁w₂ − 1)²/2 from equal weights is w → (1 + η) w − η w³. Its sharpness at the minimum is 2, so it must leave "
                "rest at η = 1; then 2, 4, 8 … and chaos. Look for the white windows within the chaos.",
                "等しい重みから始めた (w₁w₂ − 1)²/2 の勾配降下は w → (1 + η) w − η w³ です。最小点での鋭さは 2 なので、η = 1 で静止を離れ、"
                "2、4、8…周期を経てカオスになります。カオスの中の白い窓を探してください。",
            ),
            Sentence("weight w", "重み w"),
            2, 0.8, 2.05, 1e-3, 4.0, 800, 1000, 300,
            Sentence("start w₀", "初期値 w₀"), 0.05, 1.6, is_whole=False, rows=16, columns=40,
        ),
        "a", 0, two_weights,
    ),
    "twenty_weights": Tunnel(
        TunnelPreset(
            "twenty_weights",
            Sentence("Twenty weights: a 2-5-1 network learns XOR (about 20 s)", "重み20個：2-5-1 のネットワークが XOR を学ぶ（約20秒）"),
            Sentence(
                "A tanh network with cross-entropy and weight decay 0.01, full batch. Its loss settles, then alternates between two values, then wanders: "
                "the loss never blows up, and still there is chaos.",
                "交差エントロピー、重み減衰 0.01、全データ一括の tanh ネットワークです。損失は落ち着き、次に2つの値を交互にとり、やがてさまよいます。"
                "損失が発散しなくてもカオスは起こります。",
            ),
            LOSS, 20, 1.5, 8.0, 1e-3, 200.0, 240, 1200, 120, SEED, 0, 7, is_whole=True, rows=8, columns=32,
        ),
        "learning_rate", "loss", twenty_weights,
    ),
    "iris": Tunnel(
        TunnelPreset(
            "iris",
            Sentence("The network of Danovski et al. 2024 on Iris (about a minute)", "Danovski ら 2024 のネットワーク、Iris データ（約1分）"),
            Sentence(
                "The paper trains at η = 0.01, 1 and 5. At high rates many networks end with a hidden layer that passes nothing on: open the orbit and read "
                "its regime before you call it chaos.",
                "論文の学習率は η = 0.01、1、5 です。高い学習率では隠れ層が何も伝えなくなるネットワークが多くあります。"
                "カオスと呼ぶ前に、軌道を開いて判定を読んでください。",
            ),
            LOSS, 83, 0.01, 6.0, 1e-4, 50.0, 96, 5000, 100, SEED, 0, 5, is_whole=True, rows=6, columns=24,
        ),
        "learning_rate", "loss", iris,
    ),
}  # fmt: skip
