"""Residual scaling."""

import math

import pytest

from kazami.lab import experiment
from kazami.lab.experiments.residual_scaling import expected_doublings
from kazami.lab.outcome import Rows

ONE = experiment("residual-scaling")


def test_the_theory_is_the_closed_form():
    assert expected_doublings(16, "1") == 16
    assert 2 ** expected_doublings(16, "1/sqrt(L)") == pytest.approx((1 + 1 / 16) ** 16, rel=1e-12)
    assert 2 ** expected_doublings(10**6, "1/sqrt(L)") == pytest.approx(math.e, rel=1e-6)
    assert expected_doublings(16, "rezero") == 0


def test_one_stack_doubles_and_rezero_is_the_identity():
    found = ONE.measure({"seed": 7, "depth": 4, "scale": "1"})
    assert found["forward"] == pytest.approx(4, abs=0.5)
    assert found["backward"] == pytest.approx(4, abs=0.5)
    still = ONE.measure({"seed": 7, "depth": 4, "scale": "rezero"})
    assert (still["forward"], still["backward"], still["jacobian_error"]) == (0.0, 0.0, 0.0)


def test_a_wrong_growth_would_be_seen():
    rows = [{"seed": seed, "depth": 16, "scale": "1", "forward": 8.0, "backward": 16.0, "signal": [0.0] * 17} for seed in range(6)]
    by_name = {check.name: check.passed for check in ONE.checks(Rows(rows)) if not math.isnan(check.measured)}
    assert by_name == {
        "forward: doublings of the mean square, L = 16, s = 1": False,
        "backward: doublings of the mean square, L = 16, s = 1": True,
    }
