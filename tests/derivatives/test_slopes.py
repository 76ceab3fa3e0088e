"""Slopes of functions whose derivative, kink or noise is known exactly."""

import math

import numpy as np
import pytest

from kazami.derivatives.slopes import STEPS, Line, error_growth, judge

SMOOTH = {
    "exp": (lambda t: math.exp(t), 1.0),
    "sin": (lambda t: math.sin(3 * t + 0.5), 3 * math.cos(0.5)),
    "cubic": (lambda t: 5 + 2 * t - 40 * t**3, 2.0),
    "steep": (lambda t: math.tanh(50 * t + 0.2), 50 / math.cosh(0.2) ** 2),
    "flat": (lambda t: 1.0 + 0 * t, 0.0),
    "large offset": (lambda t: 1e6 + math.sin(t), 1.0),
}


def line_of(function, **options):
    return Line(function, function(0.0), **options)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_true_slope_agrees_and_a_slope_off_by_a_thousandth_does_not(name):
    function, slope = SMOOTH[name]
    size = max(abs(slope), 1.0)
    assert judge(line_of(function), slope, size=size, tolerance=1e-7).agreement == "agrees"
    judged = judge(line_of(function), slope + 1e-3 * size, size=size, tolerance=1e-7)
    assert judged.agreement == "differs"
    assert judged.numeric == pytest.approx(slope, abs=1e-6 * size)
    assert abs(judged.numeric - slope) <= 4 * judged.uncertainty + 1e-12


@pytest.mark.parametrize("name", ["exp", "sin", "steep"])
def test_the_error_grows_as_theory_says(name):
    function, slope = SMOOTH[name]
    right = error_growth(line_of(function), slope)
    assert right.kind == "right"
    assert right.truncation == pytest.approx(2, abs=0.2)
    assert right.rounding < -0.5 or max(right.errors[5:]) == 0  # exp has no rounding error at all at powers of two
    wrong = error_growth(line_of(function), 1.5 * slope)
    assert wrong.kind == "flat"
    assert wrong.rounding == pytest.approx(0, abs=0.05)


def test_noise_is_seen_at_its_own_size():
    generator = np.random.default_rng(0)
    values = {}

    def noisy(t):
        return values.setdefault(t, math.sin(t) + 1e-7 * generator.normal())

    line = line_of(noisy)
    assert 1e-8 < line.noise < 1e-6
    assert judge(line, 1.0, size=1.0, tolerance=1e-9).agreement == "agrees"
    assert judge(line, 1.02, size=1.0, tolerance=1e-9).agreement == "differs"


def test_noise_in_float64_is_of_the_last_digit():
    assert line_of(math.exp).noise < 10 * 2.0**-52


def test_float32_values_are_not_taken_for_steps():
    def coarse(t):
        return float(np.float32(2.0) + np.float32(math.sin(1 + t)))

    slope = math.cos(1)
    assert judge(line_of(coarse), slope, size=1.0, tolerance=1e-9).agreement == "agrees"
    assert judge(line_of(coarse), 1.05 * slope, size=1.0, tolerance=1e-9).agreement == "differs"


def test_where_the_function_rounds_its_steps_are_real():
    def stairs(t):
        return round(1e3 * (t + 0.3)) / 1e3

    judged = judge(line_of(stairs, trusts_scatter=False), 1.0, size=1.0, tolerance=1e-6)
    assert judged.agreement == "differs"
    assert judged.numeric == 0.0


def test_a_kink_at_zero_is_a_kink_and_a_parabola_is_none():
    assert line_of(lambda t: abs(t) + t).is_kinked()
    assert not line_of(lambda t: 1 + t + t**2).is_kinked()
    assert not line_of(math.exp).is_kinked()


@pytest.mark.parametrize("at", [1e-5, 1e-4, 1e-3, -1e-4])
def test_with_a_kink_near_by_the_slope_at_zero_counts(at):
    def bent(t):
        return 2 * t + 3 * max(t - at, 0.0) if at > 0 else 2 * t + 3 * min(t - at, 0.0)

    assert judge(line_of(bent), 2.0, size=2.0, tolerance=1e-6).agreement == "agrees"
    assert judge(line_of(bent), 3.5, size=2.0, tolerance=1e-6).agreement == "differs"


@pytest.mark.parametrize("claimed", [math.nan, math.inf])
def test_a_claim_that_is_not_finite_is_said_so(claimed):
    assert judge(line_of(math.exp), claimed, size=1.0, tolerance=1e-6).agreement == "not_finite"


def test_a_function_that_is_finite_only_at_zero_is_said_so():
    assert judge(line_of(lambda t: 0.0 if t == 0 else math.nan), 1.0, size=1.0, tolerance=1e-6).agreement == "not_finite"


def test_each_value_is_computed_once():
    calls = []
    line = Line(lambda t: calls.append(t) or math.sin(t), 0.0)
    judge(line, 1.0, size=1.0, tolerance=1e-6)
    judge(line, 1.0, size=1.0, tolerance=1e-6)
    assert len(calls) == len(set(calls)) <= 2 * len(STEPS)
