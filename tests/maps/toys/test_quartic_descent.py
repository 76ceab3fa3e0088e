"""Gradient descent on a quartic in a training's coordinates."""

import math

import pytest

from kazami.maps.toys.cubic_descent import CubicDescent
from kazami.maps.toys.quartic_descent import QuarticDescent
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(QuarticDescent())


def test_is_the_cubic_map_in_other_coordinates():
    rate, target, x = 0.3, 5.0, 0.7
    image = QuarticDescent(learning_rate=rate, target=target).formula((x * math.sqrt(target),), None)[0]
    assert image / math.sqrt(target) == pytest.approx(CubicDescent(a=rate * target).formula((x,), None)[0], abs=1e-14)
