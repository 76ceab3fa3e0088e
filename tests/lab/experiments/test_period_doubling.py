"""Period doubling of gradient descent."""

import math

import pytest

from kazami.lab import experiment
from kazami.lab.outcome import Rows

ONE = experiment("period-doubling")


def test_the_torch_training_relaxes_as_the_formula_says():
    found = ONE.measure({"seed": 0, "part": "training", "a": 0.8})
    assert found["exponent"] == pytest.approx(math.log(0.6), abs=1e-6)


def test_the_border_of_the_catapult():
    assert ONE.measure({"seed": 0, "part": "catapult"})["border"] == pytest.approx(2 * math.sqrt(2) - 2, abs=1e-5)


def test_a_shifted_doubling_would_be_seen():
    rows = Rows([{"seed": 0, "part": "doublings", "found": [1.0, 1.24, 1.28803, 1.29923, 1.30163], "accumulation": 1.30228}])
    checks = {check.name: check.passed for check in ONE.checks(rows)}
    assert checks["doubling 1 → 2"]
    assert not checks["doubling 2 → 4"]
