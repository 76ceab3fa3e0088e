"""Gradient descent on a quartic in one number."""

import math

import pytest

from kazami.maps.toys.cubic_descent import CubicDescent
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(CubicDescent())


def test_at_two_it_is_chebyshevs_third_polynomial():
    angle = 0.3
    image = CubicDescent(a=2.0).formula((math.sqrt(2) * math.sin(angle),), None)[0]
    assert image == pytest.approx(math.sqrt(2) * math.sin(3 * angle), abs=1e-14)


def test_the_two_cycle_has_the_multiplier_of_algebra():
    a = 1.15
    total, product = math.sqrt(1 + 1 / a + 2 / a), 1 / a  # x^2 + y^2 = 1 + 1/a, x y = 1/a
    x = (total + math.sqrt(total**2 - 4 * product)) / 2
    m = CubicDescent(a=a)
    y = m.formula((x,), None)[0]
    assert m.formula((y,), None)[0] == pytest.approx(x, abs=1e-12)
    assert m.jacobian((x,))[0][0] * m.jacobian((y,))[0][0] == pytest.approx(9 - 2 * (1 + a) ** 2, abs=1e-11)
