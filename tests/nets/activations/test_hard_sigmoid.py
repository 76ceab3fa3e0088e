"""Hard sigmoid: one sixth."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


def test_slope_is_one_sixth_between_minus_three_and_three():
    hard = activation("hard_sigmoid")
    assert hard.derivative_max == pytest.approx(1 / 6, rel=1e-15)
    assert [str(zone) for zone in hard.dead_zones] == ["(−∞, −3)", "(3, ∞)"]
    assert (hard.kinks, str(hard.range)) == ((-3.0, 3.0), "[0, 1]")


def test_fixed_point_is_three_fifths():
    (only,) = activation("hardsigmoid").fixed_points
    assert only.low == pytest.approx(0.6, rel=1e-14)


def test_gradients_fade_by_the_square_root_of_the_central_mass_over_36():
    share = math.erf(3 / math.sqrt(2))
    assert activation("hard_sigmoid").gradient_loss().decades == pytest.approx(-0.5 * math.log10(share / 36), rel=1e-12)
