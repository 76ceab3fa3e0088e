"""Activations as pictures: curve and slope against closed forms, the largest slope against mathematics."""

import math

import numpy as np
import pytest

from kazami.errors import UnknownName
from kazami.playground.curves import activation_curve


@pytest.mark.parametrize(
    ("name", "value", "slope", "largest"),
    [
        ("tanh", np.tanh, lambda x: 1.0 - np.tanh(x) ** 2, 1.0),
        ("sigmoid", lambda x: 1.0 / (1.0 + np.exp(-x)), lambda x: 1.0 / (2.0 + 2.0 * np.cosh(x)), 0.25),
        ("sine", np.sin, np.cos, 1.0),
    ],
)
def test_curve_and_slope_are_those_of_the_formula(name, value, slope, largest):
    curve = activation_curve(name)
    np.testing.assert_allclose(curve.values, value(curve.x), atol=1e-12)
    np.testing.assert_allclose(curve.slopes, slope(curve.x), atol=1e-12)
    assert curve.largest_slope == pytest.approx(largest, abs=1e-12)


def test_saturation_begins_where_the_slope_is_a_hundredth_of_its_largest():
    (below, low), (high, above) = activation_curve("tanh").saturated
    assert (below, above) == (-math.inf, math.inf)
    assert high == pytest.approx(math.acosh(10.0), abs=1e-9)  # sech² = 1/100
    assert low == pytest.approx(-math.acosh(10.0), abs=1e-9)


def test_a_kink_has_no_slope_and_a_step_none_that_helps():
    relu = activation_curve("relu")
    assert np.isnan(relu.slopes[relu.x == 0.0]).all()
    assert relu.saturated[0] == (-math.inf, 0.0)
    step = activation_curve("step")
    assert step.largest_slope == 0.0
    assert "no gradient passes" in step.sentence.en


def test_what_is_said_follows_from_the_largest_slope():
    assert "9.54e" in activation_curve("sigmoid").sentence.en.replace("-", "−").replace("9.54e−07", "9.54e")  # 4⁻¹⁰
    assert "undamped" in activation_curve("leaky_relu").sentence.en
    assert "saturates nowhere" in activation_curve("identity").sentence.en


def test_an_unknown_name_is_answered_with_one_that_is_near():
    with pytest.raises(UnknownName, match="sigmoid"):
        activation_curve("sigmoyd")
