"""The score: what the training's own evaluation says of each member's own weights."""

import pytest
import torch
from torch import nn

from kazami.sweeps import Sweep

from ..trainings import X, by_factors, linear, make_net, net


def test_each_member_is_evaluated_with_its_own_weights():
    training = linear(evaluate=lambda model: float(model.weight))
    found = by_factors(Sweep(training, learning_rate=[0.1, 0.2], seed=[0, 1]).run(record="score"), "score")
    for (rate, seed), score in found.items():
        start = float(linear(seed=seed).start().model.weight)
        assert score == pytest.approx(start * (1 - 2 * rate) ** 30, rel=1e-9)


def with_norm():
    """Return a network whose evaluation depends on running statistics."""
    plain = make_net()
    return nn.Sequential(plain[0], nn.BatchNorm1d(4).double(), plain[1], plain[2])


def answer(model):
    """Return a number that depends on the running statistics."""
    with torch.no_grad():
        return float(model.eval()(X).sum())


def test_running_statistics_are_those_of_the_plain_loop_also_beside_tangents():
    training = net(model=with_norm, evaluate=answer)
    found = Sweep(training, learning_rate=[0.1]).run(record=["score", "max_lyapunov"])
    assert by_factors(found, "score")[(0.1,)] == pytest.approx(training.run().score, rel=1e-6)
