"""Twins against exponents in closed form."""

import math

import pytest
import torch
from torch import nn

from kazami.dynamics.twins import Twins
from kazami.engines import Member, ensemble
from kazami.maps import Training

ONE = torch.ones(1, 1, dtype=torch.float64)


def line(optimizer):
    """Return the training of w on w^2: gradient descent multiplies w by 1 - 2 rate."""
    return Training(
        model=lambda: nn.Linear(1, 1, bias=False).double(),
        optimizer=optimizer,
        loss=lambda output, target: ((output - target) ** 2).mean(),
        batches=lambda: [(ONE, 0 * ONE)],
        steps=30,
    )


def twins_of(training, rates, steps=20):
    members = [Member(settings={"learning_rate": rate}) for rate in rates]
    together, _ = ensemble(training, [*members, *members], engine="batched", steps=steps)
    return Twins(together, len(rates), 1)


def test_growth_is_that_of_the_linear_map():
    rates = [0.1, 0.3, 0.8, 1.2]
    twins = twins_of(line(lambda m: torch.optim.SGD(m.parameters(), 0.1)), rates)
    for _ in range(10):
        _, grown = twins.step()
        assert grown.tolist() == pytest.approx([math.log(abs(1 - 2 * rate)) for rate in rates], abs=1e-6)


def test_a_distance_that_vanishes_is_renewed():
    """At the superstable rate twins meet after one step; a fresh twin shows it again and again."""
    twins = twins_of(line(lambda m: torch.optim.SGD(m.parameters(), 0.1)), [0.5, 0.4, 0.3, 0.2])
    for _ in range(3):
        _, grown = twins.step()
        assert grown[0] < -15.0
        assert grown[1].item() == pytest.approx(math.log(0.2), abs=1e-6)


def test_adams_memory_stays_positive():
    twins = twins_of(line(lambda m: torch.optim.Adam(m.parameters(), 0.01)), [0.01, 0.02, 0.03, 0.04])
    for _ in range(20):
        losses, grown = twins.step()
        assert torch.isfinite(losses).all()
        assert torch.isfinite(grown).all()
