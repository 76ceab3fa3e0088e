"""Pairs of consecutive steps, and the gauge in the optimizer's own unit."""

import numpy as np
import pytest

from kazami.records import Series, Trace
from kazami.signals.stability_gauge import mean_of_pairs, stability_gauge


def trace_of(steps, ratios, limits, rates=None):
    steps = np.asarray(steps)
    series = {"stability_ratio": Series(steps, np.asarray(ratios, dtype=float)), "sharpness_limit": Series(steps, np.asarray(limits, dtype=float))}
    every = np.arange(1, steps[-1] + 1)
    series["learning_rate"] = Series(every, np.full(every.size, 0.1) if rates is None else np.asarray(rates, dtype=float))
    return Trace(step=int(steps[-1]), series=series)


def test_a_two_cycle_reads_its_mean():
    steps, means = mean_of_pairs(Series(np.arange(1, 9), np.array([0.5, 1.5] * 4)))
    assert steps.tolist() == list(range(2, 9))
    assert means.tolist() == [1.0] * 7


def test_steps_that_do_not_follow_one_another_are_no_pair():
    steps, means = mean_of_pairs(Series(np.array([1, 3, 5, 6]), np.array([1.0, 2.0, 3.0, np.nan])))
    assert steps.size == means.size == 0


def test_the_gauge_is_in_the_optimizers_own_unit():
    gauge = stability_gauge(trace_of([8, 9], [0.95, 0.98], [380.0, 380.0]))  # Adam at 0.1: 38 / 0.1
    assert gauge is not None
    assert (gauge.step, gauge.limit) == (9, pytest.approx(38.0))
    assert gauge.value == pytest.approx(0.965 * 38)


def test_the_rate_is_that_of_the_step():
    gauge = stability_gauge(trace_of([2, 3], [1.0, 1.0], [20.0, 20.0], [0.5, 0.2, 0.1]))
    assert gauge is not None
    assert gauge.limit == pytest.approx(2.0)


def test_without_a_known_limit_there_is_no_gauge():
    assert stability_gauge(Trace(step=3)) is None
    assert stability_gauge(trace_of([2, 3], [np.nan, np.nan], [np.nan, np.nan])) is None
    assert stability_gauge(trace_of([2, 3], [1.0, 1.0], [np.inf, np.inf], [0.0, 0.0, 0.0])) is None
