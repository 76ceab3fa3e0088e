"""Trainings whose numbers say less than they seem to: rewards within their noise, a rate that ends at zero anyway, small samples of a wide input."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _arms_pulled(learning_rate: float) -> Training:
    """Policy gradient over five states and four actions: the loss is rewards less their mean, times log-probabilities, and has no level of its own."""
    rewards = torch.randn(5, 4, generator=torch.Generator().manual_seed(8))

    def batches() -> Iterator[tuple[Any, Any]]:
        generator = torch.Generator().manual_seed(801)
        for _ in range(250):
            yield torch.randint(0, 5, (64,), generator=generator), None

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Any, Any]) -> Tensor:
        states = batch[0]
        optimizer.zero_grad()
        chances = F.log_softmax(model(torch.eye(5)[states]), 1)
        actions = torch.distributions.Categorical(logits=chances.detach()).sample()
        earned = rewards[states, actions] + 0.5 * torch.randn(len(states))
        loss = -(chances[torch.arange(len(states)), actions] * (earned - earned.mean())).mean()
        loss.backward()
        optimizer.step()
        return loss

    def evaluate(model: nn.Module) -> float:
        with torch.no_grad():
            expected = (F.softmax(model(torch.eye(5)), 1) * rewards).sum(1).mean()
        return float((expected - rewards.mean()) / (rewards.max(1).values.mean() - rewards.mean()))

    return Training(
        model=lambda: blocks.mlp([5, 32, 4], nn.SiLU),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=learning_rate),
        loss=F.mse_loss,
        batches=batches,
        steps=250,
        train_step=step,
        evaluate=evaluate,
    )


def _cosine_to_nothing(learning_rate: float) -> Training:
    """A cosine to zero over a rate that was a thousandth of a good one at its largest; half of the units are dropped, so that the loss is all noise."""
    d = data.friedman()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 1)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=learning_rate, momentum=0.9),
        scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 400),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 16, seed=802),
        steps=400,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _digits_through_six() -> Training:
    """A denoising auto-encoder on few samples a batch, whose bottleneck leaves what it cannot hold."""
    d = data.digits()

    def batches() -> Iterator[tuple[Any, Any]]:
        for number, (x, _) in enumerate(data.minibatches(d.x, d.y, 16, seed=803, epochs=9)()):
            yield x + 0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(number)), x

    return Training(
        model=lambda: blocks.mlp([64, 24, 6, 24, 64], nn.GELU),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 600),
        loss=F.mse_loss,
        batches=batches,
        steps=600,
        evaluate=data.r2(d.x_test, d.x_test),
    )


PATIENTS = (
    Patient(
        name="arms_pulled_well",
        label=None,
        family="mlp",
        task="classification",
        training=partial(_arms_pulled, 0.2),
        good=0.8,
        near_boundary=True,
    ),
    Patient(
        name="arms_hardly_pulled",
        label="lr_too_low",
        family="mlp",
        task="classification",
        training=partial(_arms_pulled, 2e-4),
        healed=partial(_arms_pulled, 0.2),
        good=0.8,
    ),
    Patient(
        name="cosine_over_a_thousandth",
        label="lr_too_low",
        family="mlp",
        task="regression",
        training=partial(_cosine_to_nothing, 2e-5),
        healed=partial(_cosine_to_nothing, 0.02),
        good=0.7,
        also_true=frozenset({"dead_schedule"}),
    ),
    Patient(
        name="digits_through_six",
        label=None,
        family="mlp",
        task="regression",
        training=_digits_through_six,
        good=0.35,
        near_boundary=True,
    ),
)
