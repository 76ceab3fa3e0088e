"""The pairs on Iris, against PyTorch's own gradient descent and against lines that are known."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.tour.iris_twins import EPSILON, N_WEIGHTS, first_weights, flowers, growth_of, twins


@pytest.mark.parametrize("rate", [0.01, 1.0])
def test_the_chain_rule_written_out_is_that_of_torch(rate):
    x, y = (torch.tensor(values) for values in flowers())
    first, second = (torch.tensor(weights) for weights in first_weights(3))
    model = nn.Sequential(nn.Linear(4, 10), nn.Sigmoid(), nn.Linear(10, 3)).double()
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), (first.T, torch.zeros(10), second.T, torch.zeros(3)), strict=True):
            parameter.copy_(value)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    losses = []
    for _ in range(21):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(twins(rate, seeds=(3,), steps=20).loss[:, 0], losses, rtol=1e-11)


def test_the_pair_begins_as_far_apart_as_uniform_numbers_are():
    first = twins(1.0, seeds=tuple(range(40)), steps=0, replicas=5).distance[0]
    assert first.mean() / (EPSILON * N_WEIGHTS) == pytest.approx(0.5, abs=0.01)


def test_many_at_once_are_the_same_as_one_alone():
    together, alone = twins(1.0, seeds=(4, 7), steps=30), twins(1.0, seeds=(7,), steps=30)
    np.testing.assert_allclose(together.loss[:, 1], alone.loss[:, 0], rtol=1e-9)
    np.testing.assert_allclose(together.distance[:5, 1], alone.distance[:5, 0], rtol=1e-6)


def test_at_the_highest_rate_the_network_becomes_a_constant():
    pair = twins(5.0, seeds=(0,), steps=300)
    assert pair.constant[-1, 0] == 10
    assert pair.spread[-1, 0] < 1e-2
    assert pair.accuracy[0] < 0.4


def test_growth_is_read_where_the_logarithm_is_straightest():
    steps = np.arange(201.0)
    known = np.stack([1e-8 * np.exp(np.minimum(0.25 * np.maximum(steps - 40, 0), 20)), np.full(201, 3.0)], 1)
    grown, still = growth_of(known)
    assert grown.rate == pytest.approx(0.25, abs=1e-9)
    assert grown.start >= 40
    assert grown.end <= 120
    assert grown.is_kept
    assert not still.is_kept


def test_a_fit_is_that_of_numpy():
    distance = twins(1.0, seeds=(1,), steps=200).distance
    growth = growth_of(distance)[0]
    window = slice(growth.start, growth.end + 1)
    slope, _ = np.polyfit(np.arange(201)[window], np.log(distance[window, 0]), 1)
    assert growth.rate == pytest.approx(slope, rel=1e-9)
