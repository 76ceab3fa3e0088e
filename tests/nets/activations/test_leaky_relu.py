"""Leaky ReLU: nowhere dead."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


@pytest.mark.parametrize("slope", [0.01, 0.2])
def test_gain_is_that_of_pytorch_for_every_slope(slope):
    leaky = activation("leaky_relu", negative_slope=slope)
    assert leaky.gain == pytest.approx(math.sqrt(2 / (1 + slope**2)), rel=1e-14)
    assert leaky.gain == pytest.approx(leaky.torch_gain, rel=1e-14)


def test_no_zone_is_dead_or_saturated():
    leaky = activation("lrelu")
    assert (leaky.dead_zones, leaky.saturation, leaky.derivative_min) == ((), (), 0.01)
    assert str(leaky.range) == "(−∞, ∞)"


def test_of_an_eighth_of_the_slope_three_bits_go_on_the_negative_side():
    assert activation("leaky_relu", negative_slope=0.125).information_loss().lost == pytest.approx(1.5, abs=5e-3)
