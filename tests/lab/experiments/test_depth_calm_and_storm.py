"""Calm and storm over depth."""

import math

import pytest

from kazami.lab import experiment
from kazami.lab.experiments.depth_calm_and_storm import CRITICAL, SETTINGS, label, theory_of
from kazami.lab.outcome import Rows

ONE = experiment("depth-calm-and-storm")


def test_the_theory_is_the_one_of_the_literature():
    assert theory_of("relu", 1.0, 0.0).chi == pytest.approx(0.5, rel=1e-9)
    assert theory_of("relu", CRITICAL, 0.0).weight_variance == pytest.approx(2.0, rel=1e-6)
    assert theory_of("tanh", CRITICAL, 0.05).weight_variance == pytest.approx(1.761, abs=1e-3)
    assert theory_of("tanh", 1.0, 0.05).chi == pytest.approx(0.7590, abs=1e-4)
    assert -1 / math.log(theory_of("tanh", 1.0, 0.05).chi) == pytest.approx(3.63, abs=0.01)


def test_one_seed_is_near_the_theory():
    growth = ONE.measure({"seed": 3, "activation": "sigmoid", "weights": 1.0, "biases": 0.0})["growth"]
    assert growth == pytest.approx(-2.893, abs=3 * 0.014 * 6**0.5)


def test_a_wrong_rate_would_be_seen():
    rows = [{"seed": seed, "activation": "relu", "weights": 1.0, "biases": 0.0, "growth": -0.6, "profile": [0.0]} for seed in range(6)]
    (check,) = [check for check in ONE.checks(Rows(rows)) if not math.isnan(check.measured)]
    assert not check.passed
    assert check.expected == pytest.approx(math.log(0.5), rel=1e-9)


def test_the_bound_does_not_hold_for_large_weights():
    assert theory_of("sigmoid", 1.0, 0.0).chi < 0.25**2
    assert theory_of("sigmoid", 16.0, 0.0).chi > 0.25**2


def test_settings_have_names_of_their_own():
    assert len({label(setting) for setting in SETTINGS}) == len(SETTINGS)
