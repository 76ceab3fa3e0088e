"""SELU: mean 0 and variance 1 reproduce themselves."""

import pytest

from kazami.nets.catalogue.entries import activation

from .twins import SELU


def test_mean_zero_and_power_one_are_a_fixed_point():
    selu = activation("selu")
    assert selu.mean == pytest.approx(0, abs=1e-14)
    assert selu.second_moment == pytest.approx(1, rel=1e-14)
    assert selu.gain == pytest.approx(1, rel=1e-14)


def test_largest_slope_is_lambda_alpha_on_the_left_of_zero():
    scale, alpha = SELU
    selu = activation("selu")
    assert selu.derivative_max == pytest.approx(float(scale * alpha), rel=1e-14)
    assert (selu.derivative_maximum.at, selu.derivative_maximum.is_attained) == ((0.0,), False)
    assert selu.range.low == pytest.approx(-float(scale * alpha), rel=1e-14)


def test_pytorch_advises_another_gain_and_we_say_why():
    selu = activation("selu")
    assert selu.torch_gain == 0.75
    assert "3/4" in selu.gain_note.en


def test_gradients_grow_a_little():
    assert -0.02 < activation("selu").gradient_loss().decades < -0.01
