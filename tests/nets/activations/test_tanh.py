"""Tanh: slope one at zero."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


def test_slope_is_one_at_zero_and_range_open():
    tanh = activation("tanh")
    assert (tanh.derivative_max, tanh.derivative_maximum.at, str(tanh.range)) == (1, (0.0,), "(−1, 1)")
    assert (tanh.parity, tanh.monotone, tanh.is_smooth, tanh.is_zero_centred) == ("odd", "strictly increasing", True, True)


def test_saturates_where_sech_is_one_tenth():
    assert activation("tanh").saturation[1].low == pytest.approx(math.acosh(10), rel=1e-12)


def test_only_fixed_point_is_zero():
    assert [piece.low for piece in activation("tanh").fixed_points] == [0.0]


@pytest.mark.parametrize(("bias", "weights", "chi", "variance"), [(0.05, 1.761, 1.0, 0.570)])
def test_moments_give_the_known_critical_line(bias, weights, chi, variance):
    """At bias variance 0.05 the edge of chaos lies at weight variance 1.761, with signal variance 0.570."""
    from kazami.nets.catalogue.gaussian import gaussian_mean

    line = activation("tanh").profile.line
    q = 1.0
    for _ in range(400):
        q = weights * gaussian_mean(lambda z: line.value(z) ** 2, deviation=math.sqrt(q)) + bias
    assert q == pytest.approx(variance, abs=1e-3)
    assert weights * gaussian_mean(lambda z: line.derivative(z) ** 2, deviation=math.sqrt(q)) == pytest.approx(chi, abs=1e-3)
