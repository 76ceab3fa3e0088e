"""Log-sigmoid: softplus turned round."""

import math

import pytest
import torch

from kazami.nets.catalogue.entries import activation


def test_is_minus_softplus_of_minus_x():
    one, softplus = activation("logsigmoid"), activation("softplus")
    assert str(one.range) == "(−∞, 0)"
    assert one.mean == pytest.approx(-softplus.mean, rel=1e-14)
    assert one.gain == pytest.approx(softplus.gain, rel=1e-14)
    assert one.at_zero == pytest.approx(-math.log(2), rel=1e-15)


def test_stays_exact_far_out():
    x = torch.tensor([-800.0, 800.0], dtype=torch.float64)
    assert activation("log_sigmoid").function(x).tolist() == [-800.0, 0.0]


def test_saturates_on_the_right_only():
    """1/(1 + eˣ) = 1/100 at x = ln 99."""
    (zone,) = activation("log_sigmoid").saturation
    assert (zone.low, zone.high) == (pytest.approx(math.log(99), rel=1e-12), math.inf)
