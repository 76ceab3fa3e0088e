"""Columns of a diagram whose motion is known."""

import math

import numpy as np
import pytest

from kazami.dynamics.motions import motion_of

T = np.arange(240)


def column(a, transient=0, steps=240, x=0.345):
    """Return states and exact growth of the cubic map x' = (1 + a) x - a x^3."""
    observed, local = np.empty(steps), np.empty(steps)
    for number in range(transient + steps):
        if number >= transient:
            observed[number - transient] = x
            local[number - transient] = math.log(max(abs(1 + a - 3 * a * x * x), 1e-300))
        x = (1 + a) * x - a * x**3
    return observed, local


@pytest.mark.parametrize(
    ("a", "motion"), [(0.7, 1), (0.98, 1), (0.992, 1), (0.996, 1), (1.004, 2), (1.1, 2), (1.22, 2), (1.24, 4), (1.25, 4), (1.29, 8), (1.4, 0), (1.9, 0)]
)
def test_periods_of_the_cubic_map(a, motion):
    found, exponent = motion_of(*column(a, transient=1200))
    assert found == motion
    if a < 1:
        assert exponent == pytest.approx(math.log(abs(1 - 2 * a)), abs=1e-3)
    elif motion == 2:
        assert exponent == pytest.approx(math.log(abs(9 - 2 * (1 + a) ** 2)) / 2, abs=1e-3)
    assert (exponent > 0) == (motion == 0)


@pytest.mark.parametrize("transient", [300, 1000, 4000, 20_000])
def test_a_swing_that_dies_out_is_no_cycle(transient):
    """Just below the doubling the orbit swings around the fixed point, ever less: period one, or undecided, never two; and the other way round above."""
    assert motion_of(*column(0.998, transient=transient))[0] in (1, -2)
    assert motion_of(*column(1.002, transient=transient))[0] in (2, -2)


def test_lost_and_undecided():
    assert motion_of(np.full(60, np.nan), np.full(60, np.nan))[0] == -1
    turning = np.cos(T * (math.sqrt(5) - 1) / 2 * 2 * math.pi)
    assert motion_of(turning, 1e-9 * turning)[0] == -2


def test_noise_in_the_exponent_is_not_chaos():
    irregular = np.random.default_rng(0).normal(size=240)
    assert motion_of(irregular, np.random.default_rng(1).normal(0.0, 1.0, 240))[0] == -2
    assert motion_of(irregular, np.random.default_rng(1).normal(0.5, 0.5, 240))[0] == 0
