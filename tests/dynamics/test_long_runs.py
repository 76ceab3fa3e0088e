"""Orbits over a parameter: three ways to run them, one answer."""

import math

import numpy as np
import pytest

from kazami.dynamics.long_runs import long_run
from kazami.dynamics.observables import Observable
from kazami.maps import CubicDescent, Henon, Logistic, TrainingMap
from tests.dynamics.test_regimes import square


def test_many_toys_at_once_are_each_alone():
    values = np.array([0.2, 0.8, 1.2])
    m = Henon()
    many = long_run(m, "a", values, 20, 15, Observable(m, 0), lambda steps: None)
    for value, row in zip(values, many.observed, strict=True):
        assert np.array_equal(row, Henon(a=value).orbit(m.current_state(), 34)[20:, 0])
    assert m.current_parameters()["a"] == 1.4


def test_exponents_in_closed_form():
    found = long_run(Logistic(), "r", np.array([2.5, 3.2, 4.0]), 500, 2000, Observable(Logistic(), 0), lambda steps: None)
    assert found.local.mean(axis=1) == pytest.approx([math.log(0.5), math.log(0.16) / 2, math.log(2)], abs=0.02)


def test_a_training_is_the_map_it_is():
    values = np.array([0.7, 1.1, 1.25, 1.4])
    toys = CubicDescent(state=(float(TrainingMap(square(0.1)).current_state()[0]),))
    first = long_run(toys, "a", values, 60, 10, Observable(toys, 0), lambda steps: None)
    m = TrainingMap(square(0.1))
    second = long_run(m, "learning_rate", values, 60, 10, Observable(m, 0), lambda steps: None)
    assert second.observed[:3] == pytest.approx(first.observed[:3], abs=1e-9)
    assert second.local[:3] == pytest.approx(first.local[:3], abs=1e-5)
    moved = TrainingMap(square(0.1))
    moved.set_state(m.current_state(), time=1)  # no longer at its start: walked one after another
    third = long_run(moved, "learning_rate", values[:2], 60, 10, Observable(moved, 0), lambda steps: None)
    assert third.how.startswith("one value")
    assert third.observed == pytest.approx(first.observed[:2], abs=1e-9)
    assert third.local == pytest.approx(first.local[:2], abs=1e-6)


def test_steps_are_ticked():
    ticks = []
    long_run(Logistic(), "r", np.array([3.0, 3.5]), 100, 10, Observable(Logistic(), 0), ticks.append)
    assert sum(ticks) == 220
