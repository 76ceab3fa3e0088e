"""The end point in linear theory, and how it is really approached."""

import json
import math

import numpy as np
import pytest
import torch

from kazami.dynamics import end_point, end_point_stability
from kazami.maps import CubicDescent, Linear, Logistic, ProductDescent, TrainingMap
from tests.maps.properties import quadratic


def test_an_isolated_minimum_is_approached_at_the_predicted_rate():
    m = CubicDescent(a=0.8)
    m.step(2)
    found = end_point_stability(m, 40)
    assert found.relaxation == "exponential"
    assert found.predicted_rate == pytest.approx(math.log(0.6), abs=1e-6)
    assert found.measured_rate == pytest.approx(math.log(0.6), abs=0.03)
    assert found.kept < 1e-6


def test_a_degenerate_minimum_is_approached_like_a_power():
    """At a = 1 the multiplier is −1 and the distance from the minimum falls like t^(−1/2)."""
    m = CubicDescent(a=1.0, state=(0.9,))
    found = end_point_stability(m, 4000, period=2)
    assert found.relaxation == "power_law"
    assert 0.999 < abs(found.multipliers[0]) < 1.0


def test_a_manifold_of_minima_keeps_perturbations_along_it():
    m = ProductDescent()
    m.step(20_000)
    found = end_point_stability(m, 4000)
    assert (found.n_neutral, found.n_unstable) == (1, 0)
    assert 0.3 < found.kept <= 1.001


def test_counts_on_a_quadratic_with_flat_and_steep_directions():
    m = TrainingMap(quadratic([0.0, 0.0, 1.0, 30.0], lambda model: torch.optim.SGD(model.parameters(), 0.1), start=0.0))
    found = end_point_stability(m, 100)
    assert (found.n_neutral, found.n_unstable, found.is_whole) == (2, 1, True)
    assert np.sort(found.multipliers.real) == pytest.approx([-2.0, 0.9, 1.0, 1.0], abs=1e-12)
    assert found.relaxation == "at_rest"
    assert found.predicted_rate == pytest.approx(math.log(0.9), abs=1e-12)


def test_the_leading_multipliers_of_a_large_map(monkeypatch):
    monkeypatch.setattr(end_point, "LARGEST_WHOLE", 10)
    monkeypatch.setattr(end_point, "LEADING", 3)
    curvatures = [0.1 * number for number in range(1, 21)]
    m = TrainingMap(quadratic(curvatures, lambda model: torch.optim.SGD(model.parameters(), 0.1)))
    found = end_point_stability(m, 100)
    assert not found.is_whole
    assert np.sort(found.multipliers.real)[::-1] == pytest.approx([0.99, 0.98, 0.97], abs=1e-6)
    assert any("leading" in text for text in found.warnings)


def test_what_does_not_come_to_rest():
    assert end_point_stability(Logistic(), 200).relaxation == "not_relaxing"
    found = end_point_stability(Linear(p1=2.0), 2000)
    assert found.relaxation == "not_relaxing"
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_training_is_trained_first():
    made = quadratic([1.0], lambda model: torch.optim.SGD(model.parameters(), 0.5)).replaced(steps=100)
    found = end_point_stability(made, 20)
    assert found.measured_rate == pytest.approx(math.log(0.5), abs=1e-3)
    assert found.predicted_rate == pytest.approx(math.log(0.5), abs=1e-9)
