"""SiLU: its slope exceeds one."""

import mpmath as mp
import pytest
import torch

from kazami.nets.catalogue.entries import activation

from .twins import TWINS


def extremes():
    """The slope's largest value, where, and the smallest value of the function, to 30 digits: the root of its second derivative, and of its first."""
    f = TWINS["silu"].formula
    top = mp.findroot(lambda x: mp.diff(f, x, 2), 2.4)
    dip = mp.findroot(lambda x: mp.diff(f, x), -1.28)
    return mp.diff(f, top), top, f(dip), dip


def test_extremes_are_the_roots_that_mpmath_finds():
    slope, at, low, dip = map(float, extremes())
    silu = activation("swish")
    assert silu.derivative_max == pytest.approx(slope, rel=1e-14)
    assert silu.derivative_maximum.at == (pytest.approx(at, rel=1e-10),)
    assert silu.derivative_min == pytest.approx(1 - slope, rel=1e-13)  # φ'(x) + φ'(−x) = 1
    assert silu.range.low == pytest.approx(low, rel=1e-14)
    assert silu.profile.infimum.at == (pytest.approx(dip, rel=1e-7),)
    assert slope == pytest.approx(1.09984, abs=1e-5)


def test_beta_scales_the_line_and_leaves_the_slope():
    assert activation("silu", beta=3.0).derivative_max == pytest.approx(activation("silu").derivative_max, rel=1e-14)


def test_another_beta_is_a_module_too():
    x = torch.tensor([-2.0, 0.5], dtype=torch.float64)
    torch.testing.assert_close(activation("silu", beta=2.0).module()(x), x * torch.sigmoid(2 * x))
