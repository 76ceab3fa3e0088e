"""Curves of several seeds as one band, against what NumPy says of small cases."""

import math

import numpy as np

from kazami.reports.loss_bands import MOST_COLUMNS, band_of, range_of

NAN = math.nan


def test_middle_low_and_high_are_those_of_the_seeds():
    curves = np.random.default_rng(0).random((5, 40))
    band = band_of(curves.tolist())
    np.testing.assert_allclose(band.middle, np.median(curves, axis=0))
    np.testing.assert_array_equal(band.low, curves.min(axis=0))
    np.testing.assert_array_equal(band.high, curves.max(axis=0))
    np.testing.assert_array_equal(band.steps, np.arange(1, 41))
    assert band.lost is None


def test_many_steps_are_gathered_in_columns_of_medians():
    curve = np.random.default_rng(1).random(1000)
    band = band_of([curve.tolist()])
    length = -(-1000 // MOST_COLUMNS)
    assert band.middle.size == -(-1000 // length)
    np.testing.assert_allclose(band.middle[3], np.median(curve[3 * length : 4 * length]))
    np.testing.assert_allclose(band.steps[0], (1 + length) / 2)


def test_the_end_is_a_typical_loss_and_not_that_of_one_batch():
    curve = [5.0] * 50 + [1.0] * 49 + [100.0]
    assert band_of([curve]).end == 1.0


def test_lost_is_where_the_last_unbroken_stretch_begins():
    assert band_of([[1.0, NAN, 2.0, math.inf, NAN]]).lost == 4
    assert band_of([[1.0, NAN, 2.0]]).lost is None
    assert band_of([[NAN, NAN]]).lost == 1
    assert band_of([[1.0, 2.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]).lost is None
    assert band_of([[1.0, 2.0]], n_steps=4).lost == 3


def test_no_loss_is_no_band():
    assert band_of([]) is None
    assert band_of([[], []]) is None


def test_the_axis_is_logarithmic_where_positive_losses_span_a_decade():
    wide, narrow, negative = (band_of([curve]) for curve in ([10.0, 0.1], [2.0, 1.5], [2.0, -50.0]))
    assert range_of(wide, None) == (0.1, 10.0, True)
    assert range_of(narrow, None) == (1.5, 2.0, False)
    assert range_of(negative, wide)[2] is False


def test_a_curve_that_runs_away_does_not_press_the_other_flat():
    away, good = band_of([[2.0, 1e10, 1e30]]), band_of([[2.0, 1.0, 0.05]])
    low, high, is_logarithmic = range_of(away, good)
    assert (low, is_logarithmic) == (0.05, True)
    assert 2.0 < high <= 20.0
    assert range_of(away, good, headroom=1.0)[1] == 2.0


def test_a_flat_curve_still_has_a_range():
    low, high, _ = range_of(band_of([[1.0, 1.0]]), None)
    assert low < high
    assert range_of(None, band_of([[NAN]]))[:2] == (0.0, 1.0)
