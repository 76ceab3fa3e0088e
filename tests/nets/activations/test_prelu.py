"""PReLU: a slope that is trained."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


def test_its_module_has_one_number_to_train():
    (slope,) = activation("prelu").module().parameters()
    assert slope.item() == 0.25
    assert slope.requires_grad


def test_gain_at_the_start():
    assert activation("prelu").gain == pytest.approx(math.sqrt(2 / (1 + 0.25**2)), rel=1e-14)
    assert activation("prelu", init=0.5).derivative_min == 0.5


def test_a_quarter_of_the_slope_costs_two_bits_on_the_negative_side():
    assert activation("parametric_relu").information_loss().lost == pytest.approx(1, abs=5e-2)
