"""Gradients with and without identity shortcuts."""

import math

import pytest

from kazami.lab import experiment
from kazami.lab.experiments.identity_shortcut import SETTINGS
from kazami.lab.outcome import Rows

ONE = experiment("identity-shortcut")


@pytest.mark.parametrize("setting", ["relu, plain", "relu, identity", "relu, zero_pad", "relu, projection"])
def test_one_seed_is_near_the_derivation(setting):
    found = ONE.measure({"seed": 3, "setting": setting})
    assert found["growth"] == pytest.approx(found["expected"], abs=0.016)  # three times one seed's scatter of 0.014 √6 in ln of the square


def test_the_derivation_gives_the_closed_forms():
    plain, identity = (ONE.measure({"seed": 1, "setting": setting})["expected"] for setting in ("relu, plain", "relu, identity"))
    assert plain == pytest.approx(math.log10(0.5) / 2, rel=1e-12)
    assert identity == pytest.approx(math.log10(1.5) / 2, rel=1e-12)
    padded = ONE.measure({"seed": 1, "setting": "relu, zero_pad"})["expected"]
    assert padded == pytest.approx((38 * math.log10(1.5) + 2 * math.log10(1.0)) / 80, rel=1e-12)  # twice the width doubles: n_in / n_out = 1/2


def test_a_gradient_that_fades_in_spite_of_shortcuts_would_be_seen():
    rows = [{"seed": 0, "setting": "sigmoid, identity", "growth": -0.05, "expected": math.nan, "profile": [0.0]}]
    (check,) = [check for check in ONE.checks(Rows(rows)) if not math.isnan(check.measured)]
    assert not check.passed


def test_settings_have_names_of_their_own():
    assert len({setting.label for setting in SETTINGS}) == len(SETTINGS)
