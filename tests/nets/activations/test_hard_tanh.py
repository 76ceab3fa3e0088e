"""Hard tanh: the identity between bounds."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


def test_is_the_identity_between_its_bounds_and_dead_outside():
    hard = activation("hardtanh")
    assert [str(zone) for zone in hard.dead_zones] == ["(−∞, −1)", "(1, ∞)"]
    assert [str(piece) for piece in hard.fixed_points] == ["[−1, 1]"]
    assert (hard.derivative_max, str(hard.range), hard.kinks) == (1, "[−1, 1]", (-1.0, 1.0))


def test_power_of_a_clipped_normal_number():
    """E min(z², 1) = erf(1/√2) − 2 φ(1) + 2 (1 − Φ(1)), φ and Φ the normal density and distribution."""
    mass, density = math.erf(1 / math.sqrt(2)), math.exp(-0.5) / math.sqrt(2 * math.pi)
    assert activation("hard_tanh").second_moment == pytest.approx(mass - 2 * density + 1 - mass, rel=1e-13)


def test_other_bounds_move_the_kinks():
    assert activation("hard_tanh", min_val=-2, max_val=3).kinks == (-2.0, 3.0)


def test_applied_twice_it_loses_no_more():
    hard = activation("hard_tanh")
    assert hard.information_loss(depth=5).lost == hard.information_loss().lost
