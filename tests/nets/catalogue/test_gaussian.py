"""Averages over a normal input, against closed forms."""

import math

import numpy as np
import pytest
from scipy import integrate

from kazami.nets.catalogue.gaussian import gaussian_mean


@pytest.mark.parametrize(("power", "expected"), [(0, 1), (1, 0), (2, 1), (4, 3), (6, 15), (8, 105)])
def test_moments(power, expected):
    assert gaussian_mean(lambda z: z**power) == pytest.approx(expected, rel=1e-13, abs=1e-14)


def test_exponential_and_deviation():
    assert gaussian_mean(np.exp) == pytest.approx(math.exp(0.5), rel=1e-13)
    assert gaussian_mean(np.exp, deviation=2.0) == pytest.approx(math.exp(2), rel=1e-13)


@pytest.mark.parametrize("kink", [0.0, 0.3, -1.777])
@pytest.mark.parametrize("is_named", [True, False])
def test_kinks_are_found_where_they_are_not_named(kink, is_named):
    expected = math.exp(-kink * kink / 2) / math.sqrt(2 * math.pi) - kink * 0.5 * math.erfc(kink / math.sqrt(2))
    assert gaussian_mean(lambda z: np.maximum(z - kink, 0), [kink] if is_named else []) == pytest.approx(expected, rel=1e-12)


def test_steep_functions_are_resolved():
    def steep(z):
        return np.tanh(200 * (z - 0.1)) ** 2

    expected, _ = integrate.quad(lambda z: steep(z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi), -12, 12, points=[0.08, 0.1, 0.12], limit=500, epsabs=1e-14)
    assert gaussian_mean(steep) == pytest.approx(expected, rel=1e-11)


def test_what_grows_faster_than_the_density_falls_is_infinite_or_huge():
    assert gaussian_mean(lambda z: np.exp(z**4)) == math.inf
