"""Descent over fine ripples."""

import math

import pytest

from kazami.lab import experiment

ONE = experiment("multiscale-gd")


def test_rest_and_chaos():
    resting, wild = (ONE.measure({"seed": 0, "epsilon": 0.01, "ratio": ratio, "steps": 5000})["exponent"] for ratio in (0.01, 0.3))
    # a rest sits where x + 2π cos = 0 at the bottom of a ripple: multiplier 1 - η (1 + (2π)² / ε) to the order ε
    assert resting == pytest.approx(math.log(1 - 0.01 * (2 * math.pi) ** 2), abs=0.01)
    assert wild > 1.5
