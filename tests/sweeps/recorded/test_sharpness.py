"""The sharpness: 2 for the loss w², and what kazami.sharpness says after the same steps."""

import math

import pytest
import torch

import kazami
from kazami.sweeps import Sweep

from ..trainings import by_factors, linear, net


def test_the_loss_w_squared_has_sharpness_two_and_the_threshold_two_over_eta():
    found = Sweep(linear(), learning_rate=[0.1, 0.4]).run(record="sharpness")
    assert by_factors(found, "sharpness") == pytest.approx({(0.1,): 2.0, (0.4,): 2.0})
    assert by_factors(found, "sharpness_threshold") == pytest.approx({(0.1,): 20.0, (0.4,): 5.0})


def test_a_network_with_adam_has_the_sharpness_that_the_estimator_measures():
    training = net(optimizer=lambda m: torch.optim.Adam(m.parameters(), 0.03))
    found = Sweep(training, learning_rate=[0.03, 0.01]).run(record="sharpness")
    expected = kazami.sharpness(training, after=20)
    assert by_factors(found, "sharpness")[(0.03,)] == pytest.approx(float(expected.value[0]), rel=1e-3)
    assert by_factors(found, "sharpness_threshold")[(0.03,)] == pytest.approx(float(expected.threshold), rel=1e-9)


def test_weights_that_are_not_finite_have_none():
    assert math.isnan(by_factors(Sweep(linear(), learning_rate=[1e4]).run(steps=100, record="sharpness"), "sharpness")[(1e4,)])
