"""Trainings for the tests of sweeps: a linear one whose course is known, and a small network with a few factors."""

import torch
from torch import nn

from kazami.maps import Training

GENERATOR = torch.Generator().manual_seed(5)
X = torch.randn(24, 3, generator=GENERATOR, dtype=torch.float64)
Y = torch.randn(24, 1, generator=GENERATOR, dtype=torch.float64)


def linear(**changes) -> Training:
    """Return one weight on the loss w²: a step multiplies it by 1 - 2η, so that the exponent is log |1 - 2η|."""
    training = Training(
        model=lambda: nn.Linear(1, 1, bias=False).double(),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), 0.1),
        loss=nn.functional.mse_loss,
        batches=lambda: [(torch.ones(2, 1, dtype=torch.float64), torch.zeros(2, 1, dtype=torch.float64))],
        steps=30,
    )
    return training.replaced(**changes)


def make_net(width=4, activation=nn.Tanh):
    """Return a small network."""
    return nn.Sequential(nn.Linear(3, width), activation(), nn.Linear(width, 1)).double()


def net(**changes) -> Training:
    """Return the small network's training, in two batches."""
    training = Training(
        model=make_net,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), 0.1, momentum=0.5),
        loss=nn.functional.mse_loss,
        batches=lambda: [(X[:12], Y[:12]), (X[12:], Y[12:])],
        steps=20,
    )
    return training.replaced(**changes)


def by_factors(result, column):
    """Return the last value of a column by the factors' values."""
    last = result.final().to_pylist()
    return {tuple(row[name] for name in result.factors): row[column] for row in last}
