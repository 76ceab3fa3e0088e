"""Pixels trained by torch against the plainest program there is, and their retirement."""

import numpy as np
import pytest

from kazami.trainability import mean_field_problem
from kazami.trainability.reference import Reference
from tests.trainability.naive import losses, measure

RATES = [(0.05, 0.3), (1.0, 2.0), (3.0, 30.0), (20.0, 0.5), (0.2, 400.0)]


def settings(rates, offset=0.0):
    return np.array([(*pair, offset) for pair in rates])


@pytest.mark.parametrize("condition", ["tanh", "relu", "linear", "minibatch", "single"])
def test_a_pixel_is_the_plain_program(condition):
    problem = mean_field_problem(condition, width=5, steps=25, seed=3)
    found = Reference().run(problem, settings(RATES), "float64")
    expected = [measure(losses(problem, pair)) for pair in RATES]
    assert found.values() == pytest.approx(expected, rel=1e-8)
    assert min(expected) < 0.0 < max(expected)  # both kinds are there


@pytest.mark.parametrize("when", ["initial", "every_step"])
def test_an_offset_is_added_when_it_should_be(when):
    problem = mean_field_problem("offset", width=4, steps=12, offset=when)
    found = Reference().run(problem, settings([(0.5, 0.5)], offset=0.7), "float64")
    assert found.values()[0] == pytest.approx(measure(losses(problem, (0.5, 0.5), 0.7)), rel=1e-9)


def test_a_pixel_does_not_depend_on_its_neighbours():
    problem = mean_field_problem("tanh", width=8, steps=40)
    rates = np.random.default_rng(0).uniform(0.1, 200.0, (45, 2))
    together = Reference().run(problem, settings(rates), "float64").values()
    alone = np.concatenate([Reference().run(problem, settings(rates[place : place + 1]), "float64").values() for place in (0, 17, 44)])
    assert np.array_equal(together[[0, 17, 44]], alone)


@pytest.mark.parametrize("condition", ["tanh", "relu", "linear", "minibatch"])
def test_what_is_retired_would_have_gone_on_the_same(condition):
    """In float32 most of these rates overflow, at different times; every sum is the same bit for bit with and without retirement."""
    problem = mean_field_problem(condition, width=4, steps=120, seed=1)
    rates = np.stack([np.geomspace(1e-2, 1e8, 4000), np.geomspace(1e-1, 1e6, 4000)], axis=1)
    first, second = (Reference().run(problem, settings(rates), "float32", is_retiring=retiring) for retiring in (True, False))
    for name in ("total", "inverse", "tail", "stopped_at"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert 0.1 < (first.stopped_at >= 0).mean() < 1.0
    late = first.stopped_at[first.stopped_at >= 0]
    assert late.min() < late.max() < problem.steps


def test_an_infinite_loss_may_come_back():
    """Why a loss that is not finite retires nobody: with these weights the first loss overflows float32, and one step later all ReLU units are dead."""
    problem = mean_field_problem("relu", data=([[1.0]], [0.0]), weights=([[1e12]], [1e12]), steps=3)
    found = Reference().run(problem, settings([(1e3, 1e-30)]), "float32")
    assert found.stopped_at[0] == -1


def test_an_infinite_first_weight_only_saturates():
    """Why the first layer retires nobody: tanh of infinity is 1, its slope 0, and training goes on."""
    problem = mean_field_problem("tanh", data=([[1.0]], [0.25]), weights=([[0.1]], [1.0]), steps=60)
    found = Reference().run(problem, settings([(1e300, 0.2)]), "float64")
    other = Reference().run(mean_field_problem("tanh", data=([[1.0]], [0.25]), weights=([[0.1]], [1.0]), steps=60), settings([(1e306, 0.2)]), "float64")
    assert found.tail[0] < 1e-6
    assert other.stopped_at[0] == -1
