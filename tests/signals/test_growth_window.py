"""Stretches of a run and the growth in them."""

import numpy as np
import pytest

from kazami.records import Series, Trace
from kazami.signals.growth_window import growth_window, strongest_growth


def trace_of(exponents, cosines=None, lengths=None):
    n = len(exponents)
    steps = np.arange(5, 5 + n)
    values = {
        "local_exponent": exponents,
        "tangent_cosine": np.ones(n) if cosines is None else cosines,
        "burst_length": np.arange(1, n + 1) if lengths is None else lengths,
    }
    return Trace(step=int(steps[-1]), series={name: Series(steps, np.asarray(each, dtype=float)) for name, each in values.items()})


def test_a_window_counts_growth_and_how_it_came_about():
    trace = trace_of([0.5, 0.25, -0.25, np.nan, 0.25], [-1.0, 1.0, -1.0, 1.0, 1.0])
    found = growth_window(trace, np.array([True, True, True, True, True]))
    assert found.steps.tolist() == [5, 6, 7, 9]
    assert (found.folds, found.rate, found.overturned) == (0.75, pytest.approx(0.1875), 0.5)


def test_the_strongest_stretch_is_the_largest_sum():
    found = strongest_growth(trace_of([-1.0, 0.5, 0.5, -0.2, 0.5, -3.0, 0.4]))
    assert found is not None
    assert (found.steps[0], found.steps[-1], found.folds) == (6, 9, pytest.approx(1.3))


def test_it_ends_with_its_burst():
    found = strongest_growth(trace_of([0.5, 0.5, 0.5, 0.5, 0.5], lengths=[1, 2, 3, 1, 2]))
    assert found is not None
    assert (found.steps[0], found.steps[-1]) == (5, 7)


def test_without_growth_there_is_none():
    assert strongest_growth(trace_of([-0.5, -0.1, 0.0])) is None
    assert strongest_growth(Trace(step=3)) is None
