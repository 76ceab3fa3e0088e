"""Sigmoid: at most a quarter."""

import math

import numpy as np
import pytest

from kazami.nets.catalogue.entries import activation


def test_slope_is_at_most_a_quarter_at_zero():
    sigmoid = activation("logistic")
    assert sigmoid.derivative_max == 0.25
    assert sigmoid.derivative_maximum.at == (0.0,)
    assert sigmoid.derivative_min == 0
    assert not sigmoid.derivative_minimum.is_attained


def test_ten_layers_leave_less_than_a_millionth_at_the_very_best():
    assert activation("sigmoid").derivative_max ** 10 < 1e-6


def test_range_is_open():
    assert str(activation("sigmoid").range) == "(0, 1)"


def test_saturates_where_its_slope_is_one_four_hundredth():
    """s(1 − s) = 1/400 has the solutions s = (1 ± sqrt(0.99)) / 2."""
    s = (1 + math.sqrt(0.99)) / 2
    left, right = activation("sigmoid").saturation
    assert right.low == pytest.approx(math.log(s / (1 - s)), rel=1e-12)
    assert left.high == pytest.approx(-right.low, rel=1e-12)
    assert (left.low, right.high) == (-math.inf, math.inf)


def test_mean_is_one_half_by_symmetry():
    assert activation("sigmoid").mean == pytest.approx(0.5, abs=1e-15)


def test_gradient_fades_through_depth_as_mean_field_theory_says():
    """Once more by Gauss–Hermite quadrature; wide random networks show ln χ = −2.893 ± 0.005 per layer in squared norm at weights of variance 1/fan-in."""
    z, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()
    q = 1.0
    for _ in range(60):
        value = 1 / (1 + np.exp(-math.sqrt(q) * z))
        chi, q = weight @ (value * (1 - value)) ** 2, weight @ value**2
    found = -2 * math.log(10) * activation("sigmoid").gradient_loss(depth=40).by_layer[-1]
    assert found == pytest.approx(math.log(chi), rel=1e-10)
    assert found == pytest.approx(-2.893, abs=0.01)


def test_squeezing_costs_two_bits_and_more():
    """A slope of at most 1/4 makes at least four states one: two bits; the tails add to that."""
    assert 2 < activation("sigmoid").information_loss().lost < 3
