"""GELU (tanh): near GELU, and not GELU."""

import mpmath as mp
import pytest
import torch

from kazami.nets.catalogue.entries import activation

from .twins import TWINS


def test_slope_is_a_little_steeper_than_that_of_the_exact_form():
    f = TWINS["gelu_tanh"].formula
    top = mp.findroot(lambda x: mp.diff(f, x, 2), 1.42)
    tanh, exact = activation("gelu_tanh"), activation("gelu")
    assert tanh.derivative_max == pytest.approx(float(mp.diff(f, top)), rel=1e-13)
    assert 1e-5 < tanh.derivative_max - exact.derivative_max < 1e-3


def test_differs_from_the_exact_form_by_less_than_a_thousandth():
    x = torch.linspace(-6, 6, 2001, dtype=torch.float64)
    difference = (activation("gelu_tanh").function(x) - activation("gelu").function(x)).abs().max().item()
    assert 1e-4 < difference < 1e-3


def test_is_smooth_and_not_monotone():
    assert (activation("gelu_new").is_smooth, activation("gelu_new").monotone) == (True, "no")
