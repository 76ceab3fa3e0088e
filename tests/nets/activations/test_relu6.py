"""ReLU6: dead on both sides."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


def test_is_dead_below_zero_and_above_six():
    relu6 = activation("relu6")
    assert [str(zone) for zone in relu6.dead_zones] == ["(−∞, 0)", "(6, ∞)"]
    assert (str(relu6.range), relu6.kinks) == ("[0, 6]", (0.0, 6.0))


def test_power_is_a_half_less_what_is_cut_off():
    """E φ² = ∫₀⁶ z² + 36 P(z > 6), in closed form with erf and erfc."""
    inner = 0.5 * math.erf(6 / math.sqrt(2)) - 6 * math.exp(-18) / math.sqrt(2 * math.pi)
    outer = 36 * 0.5 * math.erfc(6 / math.sqrt(2))
    assert activation("relu6").second_moment == pytest.approx(inner + outer, rel=1e-14)
