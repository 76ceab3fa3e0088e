"""Hard swish: a slope of three halves, on one side of a kink."""

import pytest

from kazami.nets.catalogue.entries import activation


def test_largest_slope_is_three_halves_as_one_comes_to_three_from_below():
    swish = activation("hardswish")
    assert (swish.derivative_max, swish.derivative_min) == (pytest.approx(1.5, rel=1e-15), pytest.approx(-0.5, rel=1e-15))
    assert (swish.derivative_maximum.at, swish.derivative_maximum.is_attained) == ((3.0,), False)
    assert swish.kinks == (-3.0, 3.0)


def test_lowest_at_minus_three_halves():
    swish = activation("hard_swish")
    assert swish.range.low == pytest.approx(-0.375, rel=1e-15)
    assert swish.range.is_low_closed
    assert swish.profile.infimum.at == (pytest.approx(-1.5, rel=1e-12),)


def test_dead_below_minus_three_and_the_identity_from_three_on():
    swish = activation("hard_swish")
    assert [str(zone) for zone in swish.dead_zones] == ["(−∞, −3)"]
    assert [str(piece) for piece in swish.fixed_points] == ["0", "[3, ∞)"]
    assert swish.monotone == "no"
