"""Orbital stability: staying, drifting, parting exponentially."""

import json

import numpy as np
import pytest

from kazami.dynamics import orbital_stability
from kazami.maps import CubicDescent, Linear, Logistic
from tests.dynamics.test_perturbation import iris


@pytest.mark.parametrize(
    ("m", "verdict"),
    [
        (Linear(p1=0.9, p2=0.8), "asymptotically_stable"),
        (Linear(p1=1.0, p2=1.0, shear=0.0), "stable"),
        (Linear(p1=1.0, p2=1.0, shear=1.0), "unstable"),  # drifts like t
        (Linear(p1=1.1, p2=0.5), "exponentially_unstable"),
        (Logistic(), "exponentially_unstable"),
        (CubicDescent(a=0.7), "asymptotically_stable"),
        (CubicDescent(a=2.3, state=(1.9,)), "divergent"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.notes[0].split(", float64")[0],
)
def test_verdicts(m, verdict):
    found = orbital_stability(m, [1e-10, 1e-8], replicas=6, steps=300)
    assert found.verdict == verdict
    json.dumps(found.to_dict(), allow_nan=False)


def test_distances_begin_at_half_the_ball_and_grow_at_the_rate_of_the_map():
    found = orbital_stability(Linear(p1=1.1, p2=0.5, shear=0.0), [1e-12, 1e-6], replicas=200, steps=200)
    assert found.distances[:, 0] == pytest.approx([0.5, 0.5], abs=0.05)
    assert found.growth == pytest.approx(np.log(1.1), abs=1e-3)
    assert found.spread == pytest.approx(1.0, abs=0.01)


def test_a_slow_training_drifts_without_chaos():
    """Danovski, Soriano and Lacasa 2024 at the learning rate 0.01: the curves of all sizes collapse, none grows exponentially."""
    found = orbital_stability(iris(0.01), [1e-10, 1e-8, 1e-5], replicas=10, steps=300)
    assert found.distances[:, 0] == pytest.approx(np.full(3, 0.5), abs=0.03)
    assert found.spread < 1.05
    assert not any(found.is_exponential)
    assert found.displacement > 0.01


def test_rounding_is_warned_of():
    assert any("rounding" in text for text in orbital_stability(Linear(), [1e-16], replicas=2, steps=10).warnings)


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match="positive"):
        orbital_stability(Linear(), [0.0])
