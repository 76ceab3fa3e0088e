"""The gradient's norm: 2 |w|, and that of autograd on the plain loop."""

import math

import pytest
import torch
from torch import nn

from kazami.sweeps import Sweep

from ..trainings import X, Y, linear, net


def test_the_norm_is_that_of_the_closed_form():
    rows = Sweep(linear(), learning_rate=[0.1, 0.2, 0.3, 0.4]).run(record=["gradient_norm", "loss"], every=5).table.to_pylist()
    for row in rows:
        assert row["gradient_norm"] == pytest.approx(2 * math.sqrt(row["loss"]), rel=1e-9, abs=1e-12)


def test_the_norm_of_a_network_is_that_of_the_plain_loop_before_decay():
    training = net(optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1, weight_decay=0.1))
    found = Sweep(training, learning_rate=[0.1]).run(steps=4, record="gradient_norm").table.to_pylist()
    run = training.run(steps=3)
    run.model.zero_grad()
    nn.functional.mse_loss(run.model(X[12:]), Y[12:]).backward()
    expected = torch.cat([part.grad.reshape(-1) for part in run.model.parameters()]).norm()
    assert found[3]["gradient_norm"] == pytest.approx(float(expected), rel=1e-9)
