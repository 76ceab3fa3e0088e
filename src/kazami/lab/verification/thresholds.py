"""Where optimizers turn unstable on a quadratic, found by bisection on the exact step of each and compared with theory."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import torch
from torch import nn

from ...curvature import stability_threshold
from ...maps import Training, TrainingMap
from ._base import AbstractTruths, Check, Measurement, Sentence, truth

RATE, BETA = 0.05, 0.9
COHEN = "closed form: Cohen et al. 2021 (arXiv 2103.00065) and 2022 (arXiv 2207.14484)"
Factory = Callable[[nn.Module], torch.optim.Optimizer]
RULES: tuple[tuple[str, str, dict[str, Any], float], ...] = (
    ("gradient descent", "勾配降下法", {}, 2 / RATE),
    ("heavy ball", "モメンタム", {"momentum": BETA}, 2 * (1 + BETA) / RATE),
    ("Nesterov", "ネステロフ", {"momentum": BETA, "nesterov": True}, 2 * (1 + BETA) / (RATE * (1 + 2 * BETA))),
    ("averaged momentum, as Adam's", "移動平均モメンタム（Adam 型）", {"momentum": BETA, "dampening": BETA}, 2 * (1 + BETA) / ((1 - BETA) * RATE)),
)


class Thresholds(AbstractTruths):
    r"""The largest stable curvature: :math:`2/\eta`, :math:`2(1+\beta)/\eta`, :math:`2(1+\beta)/(\eta(1+2\beta))`, :math:`38/\eta`."""

    name: ClassVar = "thresholds"
    title: ClassVar = Sentence("Stability thresholds of optimizers", "最適化手法の安定限界")

    def measurements(self, *, quick: bool) -> Sequence[Measurement]:
        """The same in both versions."""
        del quick
        return [*(partial(_bisected, *rule) for rule in RULES), _stated]


def _bisected(name: str, name_ja: str, settings: dict[str, Any], expected: float) -> Sequence[Check]:
    names = f"{name}: learning rate × largest stable curvature", f"{name_ja}: 学習率 × 安定な最大曲率"
    measured = flip(lambda m: torch.optim.SGD(m.parameters(), RATE, **settings), below=0.1 / RATE, above=100 / RATE)
    return [truth(names, RATE * measured, RATE * expected, 1e-6, COHEN)]


def _stated() -> Sequence[Check]:
    given = stability_threshold("adam", RATE, momentum=BETA)
    return [truth(("Adam: learning rate × threshold, as kazami states it", "Adam: kazami が示す限界 × 学習率"), RATE * given, 38.0, 1e-9, COHEN)]


def flip(optimizer: Factory, *, below: float, above: float) -> float:
    """Return the curvature of a one-weight quadratic at which the optimizer's linear step first has a multiplier outside the unit circle.

    Args:
        optimizer: Makes the optimizer.
        below: A curvature that is stable.
        above: One that is not.
    """
    for _ in range(60):
        middle = 0.5 * (below + above)
        if _radius(optimizer, middle) > 1.0:
            above = middle
        else:
            below = middle
    return 0.5 * (below + above)


def _radius(optimizer: Factory, curvature: float) -> float:
    m = TrainingMap(
        Training(
            model=lambda: nn.Linear(1, 1, bias=False),
            optimizer=optimizer,
            loss=lambda output, target: 0.5 * curvature * (output**2).sum(),
            batches=lambda: [(torch.ones(1, 1), None)],
            steps=1,
        )
    )
    m.step(2)  # torch's first momentum is the whole gradient, whatever the dampening
    _, jacobian = m.advance_tangents(m.current_state(), torch.eye(m.dimension, dtype=torch.float64), m.time)
    return float(torch.linalg.eigvals(jacobian).abs().max())
