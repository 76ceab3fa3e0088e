"""GELU: closed forms."""

import mpmath as mp
import pytest

from kazami.nets.catalogue.entries import activation


def test_largest_slope_is_at_the_square_root_of_two():
    """φ'' = (2 − x²) times the normal density, so the extremes are at ±√2, with φ'(√2) = Φ(√2) + √2 times the density there = 1.12890414518…"""
    root = mp.sqrt(2)
    expected = float(mp.ncdf(root) + root * mp.npdf(root))
    gelu = activation("gelu")
    assert gelu.derivative_max == pytest.approx(expected, rel=1e-15)
    assert gelu.derivative_maximum.at == (pytest.approx(float(root), rel=1e-14),)
    assert gelu.derivative_min == pytest.approx(1 - expected, rel=1e-14)


def test_lowest_value():
    dip = mp.findroot(lambda x: mp.ncdf(x) + x * mp.npdf(x), -0.75)
    assert activation("gelu").range.low == pytest.approx(float(dip * mp.ncdf(dip)), rel=1e-14)
    assert activation("gelu").range.is_low_closed


def test_mean_is_half_an_inverse_root_of_pi():
    """E z Φ(z) = E Φ'(z) = 1/(2 √π), by Stein's lemma."""
    assert activation("gelu").mean == pytest.approx(float(1 / (2 * mp.sqrt(mp.pi))), rel=1e-14)


def test_power_in_closed_form():
    """E z² Φ(z)² = 1/3 + 1/(2π√3), by Stein's lemma twice and E Φ² = 1/3."""
    expected = mp.mpf(1) / 3 + 1 / (2 * mp.pi * mp.sqrt(3))
    assert activation("gelu").second_moment == pytest.approx(float(expected), rel=1e-14)
