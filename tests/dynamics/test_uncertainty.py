"""The error bar covers the truth as often as it says, for noise, for chaos and for rotations."""

import math

import numpy as np
import pytest

from kazami.dynamics import max_lyapunov, standard_error
from kazami.maps import Henon, Logistic


def coverage(series: list[np.ndarray], truth: float, within: float) -> float:
    """Return how often the mean is within so many standard errors of the truth."""
    return float(np.mean([abs(x.mean() - truth) <= within * standard_error(x) for x in series]))


def correlated(rng: np.random.Generator, memory: float, length: int) -> np.ndarray:
    x = rng.normal(size=length)
    x[0] /= math.sqrt(1 - memory**2)
    for place in range(1, length):
        x[place] += memory * x[place - 1]
    return x


@pytest.mark.parametrize("memory", [0.0, 0.8, -0.6])
def test_covers_for_noise_with_and_without_memory(memory):
    rng = np.random.default_rng(0)
    series = [correlated(rng, memory, 1500) for _ in range(200)]
    assert 0.60 <= coverage(series, 0.0, 1.0) <= 0.95
    assert coverage(series, 0.0, 2.0) >= 0.92


def test_covers_for_chaos():
    """Against the mean over all orbits of the Hénon map, and the exact ln 2 of the logistic map, whose local values cancel one another."""
    starts = np.random.default_rng(1).uniform(-0.1, 0.1, size=(60, 2))
    found = [max_lyapunov(Henon(state=tuple(start)), steps=1500, transient=100) for start in starts]
    whole = np.mean([estimate.value for estimate in found])
    assert np.mean([abs(estimate.value - whole) < 2 * estimate.uncertainty for estimate in found]) >= 0.9
    exact = [max_lyapunov(Logistic(state=(start,)), steps=2000, transient=50) for start in np.random.default_rng(2).uniform(0.1, 0.9, 60)]
    assert np.mean([abs(estimate.value - math.log(2)) < 2 * estimate.uncertainty for estimate in exact]) >= 0.9


def test_covers_for_a_rotation():
    """The mean of a cosine over any number of steps is within the bounded swing of its sum."""
    for length in range(300, 400, 7):
        x = np.cos(0.37 * np.arange(length))
        assert abs(x.mean()) <= 2 * standard_error(x)
    assert standard_error(np.cos(0.37 * np.arange(20_000))) < 1e-3  # independent numbers of this size would give 5e-3


def test_what_cannot_be_told_is_nan():
    assert math.isnan(standard_error(np.ones(5)))
    assert math.isnan(standard_error(np.array([1.0] * 20 + [np.nan])))
    assert standard_error(np.ones(100)) == 0.0
