"""Gradient descent over ripples."""

import math

import pytest

from kazami.maps.toys.multiscale_descent import MultiscaleDescent
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(MultiscaleDescent())


def test_is_the_gradient_step_of_its_potential():
    """Against a central difference of the potential."""
    epsilon, rate, x, h = 0.01, 0.003, 0.123, 1e-6

    def potential(u):
        return u**2 / 2 + epsilon * math.sin(2 * math.pi * u / epsilon)

    slope = (potential(x + h) - potential(x - h)) / (2 * h)
    image = MultiscaleDescent(epsilon=epsilon, learning_rate=rate).formula((x,), math)[0]
    assert image == pytest.approx(x - rate * slope, abs=1e-7)
