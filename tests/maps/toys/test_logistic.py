"""The logistic map."""

import math

import numpy as np
import pytest

from kazami.errors import UnknownName
from kazami.maps.toys.logistic import Logistic
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(Logistic())


def test_the_two_cycle_is_the_one_of_algebra():
    r = 3.2
    root = math.sqrt((r + 1) * (r - 3))
    cycle = sorted([(r + 1 - root) / (2 * r), (r + 1 + root) / (2 * r)])
    m = Logistic(r=r)
    m.step(2000)
    orbit = m.orbit(m.current_state(), 1)[:, 0]
    assert sorted(orbit) == pytest.approx(cycle, abs=1e-12)


def test_an_orbit_that_escapes_is_missing_from_there_on():
    orbit = Logistic(r=4.0, state=(1.5,)).orbit(Logistic(state=(1.5,)).current_state(), 50)
    assert np.isfinite(orbit[:5]).all()
    assert not np.isfinite(orbit[-1]).any()


def test_an_unknown_parameter_is_told_the_closest():
    with pytest.raises(UnknownName, match=r'no parameter of this map "R"\. Did you mean "r"'):
        Logistic(R=3.0)


def test_a_state_of_the_wrong_size_is_refused():
    with pytest.raises(ValueError, match="1 coordinates, but it has 2"):
        Logistic(state=(0.1, 0.2))
