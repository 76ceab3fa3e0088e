"""Saturated is a slope below 5 % of the greatest."""

import math

import pytest
import torch

from kazami.watch.observables.saturated_share import SaturatedShare
from tests.watch.observables.sights import followed_by


@pytest.mark.parametrize(("activation", "limit"), [(torch.sigmoid, math.log((1 + 0.95**0.5) / (1 - 0.95**0.5))), (torch.tanh, math.atanh(0.95**0.5))])
def test_the_limit_is_where_the_formula_says(activation, limit):
    signal = [[limit * 1.01, limit * 0.99, -limit * 1.01, 0.0]]
    assert SaturatedShare().measure(followed_by(activation, signal)[0]) == 0.5


def test_a_relu_does_not_saturate_on_both_sides():
    assert math.isnan(SaturatedShare().measure(followed_by(torch.relu, [[1.0]])[0]))
