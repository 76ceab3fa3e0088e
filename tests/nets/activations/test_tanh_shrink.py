"""Tanhshrink: no slope at zero."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


def test_slope_is_zero_at_zero_and_comes_near_one_far_out():
    shrink = activation("tanhshrink")
    assert (shrink.derivative_min, shrink.derivative_minimum.at, shrink.derivative_minimum.is_attained) == (0, (0.0,), True)
    assert (shrink.derivative_max, shrink.derivative_maximum.is_attained) == (1, False)


def test_a_point_without_slope_is_no_dead_zone():
    assert activation("tanh_shrink").dead_zones == ()
    (zone,) = activation("tanh_shrink").saturation  # tanh² = 1/100
    assert zone.high == pytest.approx(math.atanh(0.1), rel=1e-12)


def test_small_signals_die_out_through_depth():
    assert activation("tanh_shrink").gradient_loss(depth=4).decades > 2
