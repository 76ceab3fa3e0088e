"""Softsign: algebraic tails."""

import pytest

from kazami.nets.catalogue.entries import activation


def test_saturates_beyond_nine():
    """1/(1 + |x|)² = 1/100 at |x| = 9."""
    left, right = activation("softsign").saturation
    assert (left.high, right.low) == (pytest.approx(-9, rel=1e-12), pytest.approx(9, rel=1e-12))


def test_second_derivative_jumps_at_zero():
    softsign = activation("softsign")
    assert (softsign.smoothness, softsign.kinks, softsign.dead_zones) == (1, (), ())
    assert (softsign.derivative_max, softsign.derivative_maximum.at, str(softsign.range)) == (1, (0.0,), "(−1, 1)")


def test_approaches_its_bounds_so_slowly_that_a_million_is_still_a_millionth_away():
    assert 1 - activation("softsign").profile.line.value([1e6]).item() == pytest.approx(1e-6, rel=1e-5)
