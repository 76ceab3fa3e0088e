"""The Hénon map."""

import math

import pytest

from kazami.maps.toys.henon import Henon
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(Henon())


def test_the_fixed_point_is_the_one_of_algebra():
    a, b = 1.4, 0.3
    x = (-(1 - b) + math.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    m = Henon(state=(x, b * x))
    assert m.advance(m.current_state(), 0).tolist() == pytest.approx([x, b * x], abs=1e-15)
