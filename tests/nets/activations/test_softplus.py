"""Softplus: its slope is the sigmoid."""

import math

import pytest
import torch

from kazami.nets.catalogue.entries import activation


def test_slope_is_the_sigmoid():
    x = torch.linspace(-9, 9, 50, dtype=torch.float64)
    torch.testing.assert_close(activation("softplus").derivative(x), torch.sigmoid(x), rtol=1e-13, atol=0)


def test_slope_comes_near_one_and_never_reaches_it():
    softplus = activation("softplus")
    assert (softplus.derivative_max, softplus.derivative_maximum.is_attained, softplus.derivative_maximum.at) == (1, False, (math.inf,))
    assert str(softplus.range) == "(0, ∞)"
    assert softplus.at_zero == pytest.approx(math.log(2), rel=1e-15)


def test_module_is_linear_beyond_its_threshold_and_differs_by_no_more_than_it_says():
    x = torch.linspace(19, 30, 200, dtype=torch.float64)
    softplus = activation("softplus")
    difference = (softplus.module()(x) - softplus.function(x)).abs().max().item()
    assert 1e-9 < difference < 2.1e-9


def test_beta_sharpens_it():
    assert activation("softplus", beta=4.0).at_zero == pytest.approx(math.log(2) / 4, rel=1e-14)
