"""Ill: two players who circle each other. Games, adversaries and multipliers whose steps turn the pair instead of bringing it home."""

import math
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ..blocks import mlp
from ._games import PAYOFF, Critic, Mixed, Shift, closeness, duel, gan_value, gradient_penalty, samples, wasserstein_value
from ._recipes import by, sgd


def _stone_paper_scissors(*, look_ahead: float | None) -> Training:
    def judge(model: nn.Module) -> float:
        assert isinstance(model, Mixed)
        with torch.no_grad():
            row, column = model.row.softmax(0), model.column.softmax(0)
            return 1 - float((PAYOFF.T @ row).max() - (PAYOFF @ column).min())

    return Training(
        model=Mixed,
        optimizer=sgd(2.0),
        loss=F.mse_loss,
        batches=lambda: [(PAYOFF, None)],
        steps=400,
        train_step=duel(lambda m, batch: m(batch[0]), "column", look_ahead=look_ahead),
        evaluate=judge,
    )


def _linear_critic(*, weight: float) -> Training:
    return Training(
        model=lambda: Critic(lambda: nn.Linear(2, 1, bias=False), Shift),
        optimizer=sgd(0.05),
        loss=F.mse_loss,
        batches=samples(),
        steps=400,
        train_step=duel(wasserstein_value, "critic", penalty=gradient_penalty(weight)),
        evaluate=closeness(torch.tensor([2.0, -1.0])),
    )


def _momentum_gan(*, momentum: float) -> Training:
    """A GAN of two small networks under heavy momentum, which turns the game faster than it closes it."""
    return Training(
        model=lambda: Critic(lambda: nn.Linear(2, 1), Shift),
        optimizer=sgd(0.1, momentum),
        loss=F.mse_loss,
        batches=samples((1.0, 1.0), n=128, seed=103),
        steps=400,
        train_step=duel(gan_value, "critic", penalty=gradient_penalty(0.3)),
        evaluate=closeness(torch.tensor([1.0, 1.0])),
    )


class _Constrained(nn.Module):
    """A plan and the prices (multipliers) of its constraints."""

    def __init__(self) -> None:
        super().__init__()
        self.plan, self.price = nn.Parameter(torch.randn(6)), nn.Parameter(torch.zeros(3))

    def forward(self, matrix: Tensor) -> Any:
        return matrix @ self.plan


def _multipliers(*, augmented: float) -> Training:
    """A linear cost under equality constraints by descent on the plan and ascent on the prices."""
    source = torch.Generator().manual_seed(104)
    matrix, cost = torch.randn(3, 6, generator=source), torch.randn(3, generator=source)
    wanted, direction = torch.randn(3, generator=source), cost @ matrix

    def lagrangian(model: nn.Module, batch: Batch) -> Tensor:
        assert isinstance(model, _Constrained)
        violation = model(batch[0]) - wanted
        result: Tensor = direction @ model.plan + model.price @ violation + 0.5 * augmented * violation.square().sum()
        return result

    def judge(model: nn.Module) -> float:
        assert isinstance(model, _Constrained)
        with torch.no_grad():
            gap = float((model(matrix) - wanted).norm() + (model.price + cost).norm())
        return max(-1.0, 1 - gap) if math.isfinite(gap) else -1.0

    return Training(
        model=_Constrained,
        optimizer=sgd(0.02),
        loss=F.mse_loss,
        batches=lambda: [(matrix, None)],
        steps=500,
        train_step=duel(lagrangian, "price"),
        evaluate=judge,
    )


def _adam_wasserstein(*, weight: float) -> Training:
    """A critic without any constraint on its slope, under Adam: the shift runs past the data again and again."""
    return Training(
        model=lambda: Critic(lambda: mlp((2, 1), nn.Tanh), Shift),
        optimizer=by(torch.optim.Adam, lr=0.03, betas=(0.9, 0.999)),
        loss=F.mse_loss,
        batches=samples((-1.5, 1.5)),
        steps=600,
        train_step=duel(wasserstein_value, "critic", penalty=gradient_penalty(weight)),
        evaluate=closeness(torch.tensor([-1.5, 1.5])),
    )


_P: dict[str, Any] = {"label": "player_rotation", "also_true": frozenset({"oscillating_loss"}), "task": "regression", "family": "game"}
PATIENTS = (
    Patient(
        name="stone_paper_scissors_at_once",
        training=partial(_stone_paper_scissors, look_ahead=None),
        healed=partial(_stone_paper_scissors, look_ahead=2.0),
        good=0.8,
        **_P,
    ),
    Patient(
        name="linear_critic_chases_a_shift",
        training=partial(_linear_critic, weight=0.0),
        healed=partial(_linear_critic, weight=1.0),
        good=0.8,
        **_P,
    ),
    Patient(
        name="gan_with_heavy_momentum",
        training=partial(_momentum_gan, momentum=0.9),
        healed=partial(_momentum_gan, momentum=0.0),
        good=0.8,
        **_P,
    ),
    Patient(
        name="plan_and_prices_circle",
        training=partial(_multipliers, augmented=0.0),
        healed=partial(_multipliers, augmented=2.0),
        good=0.8,
        **_P,
    ),
    Patient(
        name="adam_critic_without_a_slope_limit",
        training=partial(_adam_wasserstein, weight=0.0),
        healed=partial(_adam_wasserstein, weight=1.0),
        good=0.8,
        **_P,
    ),
)
