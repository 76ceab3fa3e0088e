"""Sign: three values, zero-centred."""

import math

import pytest
import torch

from kazami.nets.catalogue.entries import activation


def test_keeps_the_sign_only():
    assert activation("sign").function(torch.tensor([-3.0, 0.0, 0.2])).tolist() == [-1, 0, 1]


def test_its_power_is_one_and_its_mean_zero():
    sign = activation("sgn")
    assert sign.gain == pytest.approx(1, rel=1e-14)
    assert sign.is_zero_centred
    assert (sign.parity, sign.monotone, sign.lipschitz) == ("odd", "increasing", math.inf)
