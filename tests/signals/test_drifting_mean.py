"""The error of a mean: against independent numbers, correlated ones with a known spread, and cycles."""

import math

import numpy as np
import pytest
from scipy import stats

from kazami.signals.drifting_mean import _student, mean_with_error


def autoregressive(correlation, n, seed):
    noise = np.random.default_rng(seed).standard_normal(n)
    values = np.empty(n)
    values[0] = noise[0] / math.sqrt(1 - correlation**2)
    for at in range(1, n):
        values[at] = correlation * values[at - 1] + noise[at]
    return values


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_two_errors_hold_the_true_mean(correlation):
    inside = 0
    for seed in range(200):
        mean, error = mean_with_error(autoregressive(correlation, 600, seed))
        inside += abs(mean) < 2 * error
    assert inside / 200 > 0.9


def test_the_error_of_independent_numbers_is_that_of_the_textbook():
    errors = [mean_with_error(np.random.default_rng(seed).standard_normal(900))[1] for seed in range(60)]
    assert np.median(errors) == pytest.approx(1 / 30, rel=0.25)


def test_a_cycle_leaves_open_what_its_sum_swings_by():
    values = np.tile([1.0] * 20 + [-1.0] * 20, 10)
    mean, error = mean_with_error(values)
    assert mean == pytest.approx(0.0, abs=1e-12)
    assert error >= 20 / (4 * 400)


@pytest.mark.parametrize("freedom", [2, 3, 5, 10, 29])
def test_the_quantile_is_students(freedom):
    assert _student(freedom) == pytest.approx(stats.t.ppf(stats.norm.cdf(1.0), freedom), rel=0.01)


def test_short_and_unfinished_series():
    assert all(math.isnan(number) for number in mean_with_error(np.array([])))
    mean, error = mean_with_error(np.array([1.0, np.nan, 3.0, -np.inf]))
    assert mean == 2.0
    assert math.isnan(error)
    assert mean_with_error(np.full(50, 0.25)) == (0.25, 0.0)
