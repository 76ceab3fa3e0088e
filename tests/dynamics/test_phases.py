"""Chaos that lasts and chaos that passes."""

import json

import numpy as np
import pytest

from kazami.dynamics import growth_phase, max_lyapunov
from kazami.maps import CubicDescent, Logistic, ProductDescent


def test_chaos_that_lasts():
    found = growth_phase(max_lyapunov(Logistic(), steps=2000))
    assert found.kind == "sustained"
    assert found.horizon == pytest.approx(1 / np.log(2), rel=0.02)


def test_chaos_that_passes():
    """Just below the crisis-like window of period three a chaotic transient ends in the cycle."""
    m = Logistic(r=3.8285)
    m.set_parameter("r", 3.83)
    kinds = set()
    for start in np.linspace(0.11, 0.89, 60):
        estimate = max_lyapunov(Logistic(r=3.8319, state=(start,)), steps=1500)
        kinds.add(growth_phase(estimate).kind)
    assert "sustained" not in kinds
    assert "transient" in kinds


def test_quiet_motion_has_none():
    for m in (Logistic(r=2.8), CubicDescent(a=0.5), ProductDescent()):
        assert growth_phase(max_lyapunov(m, steps=600)).kind == "none"


def test_the_end_of_a_phase_is_where_growth_was_largest():
    found = growth_phase(np.array([0.1] * 300 + [-0.2] * 600))
    assert (found.kind, found.until) == ("transient", 300)
    assert found.rate == pytest.approx(0.1)
    json.dumps(found.to_dict(), allow_nan=False)


def test_too_short_a_series_is_unsure():
    assert growth_phase(np.ones(10)).kind == "unsure"
    json.dumps(growth_phase(np.ones(10)).to_dict(), allow_nan=False)
