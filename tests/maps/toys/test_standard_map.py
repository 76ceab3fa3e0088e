"""The standard map."""

import numpy as np
import pytest

from kazami.maps.toys.standard_map import StandardMap
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(StandardMap())


def test_preserves_areas():
    assert np.linalg.det(StandardMap().jacobians(np.random.default_rng(0).uniform(0, 6, size=(20, 2)))) == pytest.approx(np.ones(20), abs=1e-12)


def test_the_hyperbolic_fixed_point():
    """At (0, 0) the trace is 2 + K."""
    multipliers = np.linalg.eigvals(StandardMap(k=3.0).jacobians(np.zeros((1, 2)))[0])
    assert multipliers.max() == pytest.approx((5 + np.sqrt(21)) / 2, abs=1e-12)
