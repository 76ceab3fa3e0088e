"""ELU: differentiable once."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


def test_is_once_continuously_differentiable_for_alpha_one_and_kinked_otherwise():
    assert (activation("elu").smoothness, activation("elu").kinks) == (1, ())
    assert (activation("elu", alpha=0.5).smoothness, activation("elu", alpha=0.5).kinks) == (0, (0.0,))


def test_range_is_open_at_minus_alpha():
    assert str(activation("elu").range) == "(−1, ∞)"
    assert str(activation("elu", alpha=0.5).range) == "(−0.5, ∞)"


def test_saturates_below_the_logarithm_of_one_hundredth():
    (zone,) = activation("elu").saturation
    assert zone.high == pytest.approx(math.log(0.01), rel=1e-12)


def test_power_in_closed_form():
    """E φ² = 1/2 + ∫₋∞⁰ (eᶻ − 1)² = 1/2 + e² Φ(−2) − 2 √e Φ(−1) + 1/2."""
    below = lambda x: 0.5 * math.erfc(x / math.sqrt(2))  # noqa: E731
    expected = 0.5 + math.e**2 * below(2) - 2 * math.sqrt(math.e) * below(1) + 0.5
    assert activation("elu").second_moment == pytest.approx(expected, rel=1e-14)
