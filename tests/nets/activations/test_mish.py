"""Mish: between SiLU and GELU."""

import mpmath as mp
import pytest

from kazami.nets.catalogue.entries import activation

from .twins import TWINS


def test_extremes_are_the_roots_that_mpmath_finds():
    f = TWINS["mish"].formula
    top, bottom, dip = (mp.findroot(lambda x, k=k: mp.diff(f, x, k), start) for k, start in ((2, 1.5), (2, -2.2), (1, -1.19)))
    mish = activation("mish")
    assert mish.derivative_max == pytest.approx(float(mp.diff(f, top)), rel=1e-13)
    assert mish.derivative_min == pytest.approx(float(mp.diff(f, bottom)), rel=1e-13)
    assert mish.range.low == pytest.approx(float(f(dip)), rel=1e-13)
    assert float(mp.diff(f, top)) == pytest.approx(1.0885, abs=1e-4)


def test_is_smooth_and_turns_once():
    mish = activation("mish")
    assert (mish.is_smooth, mish.monotone, mish.dead_zones) == (True, "no", ())
    assert len(mish.saturation) == 2  # the left end, and around the turning point
