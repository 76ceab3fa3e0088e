"""Gaussian means against closed forms, kinks and jumps included."""

import math

import numpy as np
import pytest

from kazami.errors import UsageError
from kazami.nets.starts.gaussian import Curve, mean, mean_of_product

RELU = Curve.measured(lambda u: np.maximum(u, 0), lambda u: (u > 0) * 1.0)
SIGN = Curve.measured(np.sign, np.zeros_like)
SINE = Curve.measured(np.sin, np.cos)


def test_breaks_are_found_where_they_are():
    assert RELU.breaks == (0.0,)
    assert RELU.jumps == ()
    assert SIGN.jumps == (0.0,)
    assert SINE.breaks == ()
    hard = Curve.measured(lambda u: np.clip(u, -1, 1), lambda u: (np.abs(u) < 1) * 1.0)
    assert hard.breaks == pytest.approx((-1, 1), abs=1e-9)
    odd = Curve.measured(lambda u: np.where(u > 1 / 3, 2 * u, u), lambda u: np.where(u > 1 / 3, 2.0, 1.0))
    assert odd.breaks == odd.jumps == pytest.approx((1 / 3,), abs=1e-9)


@pytest.mark.parametrize("variance", [1e-10, 0.3, 1.0, 7.0, 1e8])
def test_moments(variance):
    cube = Curve.measured(lambda u: u**3, lambda u: 3 * u**2)
    assert mean(cube.squared(), variance) == pytest.approx(15 * variance**3, rel=1e-12)
    assert mean(RELU, variance) == pytest.approx(math.sqrt(variance / (2 * math.pi)), rel=1e-12)
    shifted = Curve.measured(lambda u: np.maximum(u - 0.7, 0), lambda u: (u > 0.7) * 1.0)
    d = 0.7 / math.sqrt(variance)
    tail = 0.5 * math.erfc(d / math.sqrt(2))
    expected = math.sqrt(variance) * math.exp(-(d**2) / 2) / math.sqrt(2 * math.pi) - 0.7 * tail
    assert mean(shifted, variance) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("c", [-1.0, -0.9999, -0.5, 0.0, 1e-4, 0.3, 0.9, 0.999, 0.999999, 1 - 1e-12, 1.0])
def test_two_correlated_gaussians(c):
    angle = math.acos(c)
    assert mean_of_product(RELU, 2.0, c) == pytest.approx(2 * (math.sin(angle) + (math.pi - angle) * c) / (2 * math.pi), abs=1e-10)  # Cho and Saul 2009
    assert mean_of_product(SIGN, 2.0, c) == pytest.approx(2 / math.pi * math.asin(c), abs=2e-7)  # Sheppard 1899
    assert mean_of_product(SINE, 0.8, c) == pytest.approx(math.exp(-0.8) * math.sinh(0.8 * c), abs=1e-12)


def test_what_mixes_numbers_is_refused():
    with pytest.raises(UsageError, match="elementwise"):
        Curve.measured(lambda u: np.exp(u) / np.exp(u).sum(), np.ones_like)
