import json

import numpy as np
import pytest

from kazami.records import Series
from kazami.reports.columns import BYTES_A_NUMBER, extremes, raw_series, starts
from kazami.reports.plain import for_script


@pytest.mark.parametrize(("n", "limit"), [(1, 5), (5, 5), (6, 5), (3000, 700), (1501, 1500)])
def test_columns_are_never_more_than_asked_for_and_cover_everything(n, limit):
    first = starts(n, limit)
    assert len(first) <= limit
    assert first[0] == 0
    assert first[-1] < n


def test_a_single_spike_survives_any_thinning():
    values = np.zeros((10_000, 3))
    values[7777, 1], values[1234, 2] = 9.0, -9.0
    low, high = extremes(values, starts(10_000, 97))
    assert high.max(axis=0).tolist() == [0, 9, 0]
    assert low.min(axis=0).tolist() == [0, 0, -9]


def test_gaps_are_left_out_and_only_all_gaps_are_a_gap():
    low, high = extremes(np.array([np.nan, 2.0, np.inf, np.nan, np.nan]), np.array([0, 3]))
    np.testing.assert_equal(low, [2.0, np.nan])
    np.testing.assert_equal(high, [np.inf, np.nan])


def test_short_series_stay_whole_and_long_ones_fit_the_page():
    steps = np.arange(1, 20_001)
    series = {"wide": Series(steps, np.random.default_rng(0).standard_normal((20_000, 20)) * 1e-5), "loss": Series(steps[:500], np.ones(500))}
    limit = 300_000
    found, thinned = raw_series(series, limit)
    assert list(found) == ["wide", "loss"]
    assert len(found["loss"]["steps"]) == 500
    assert thinned == {"wide": {"kept": len(found["wide"]["steps"]), "of": 20_000}}
    assert found["wide"]["steps"][[0, -1]].tolist() == [1, 20_000]
    assert len(for_script(found)) < limit * 13 / BYTES_A_NUMBER  # an estimate: exponents are longer


def test_nothing_is_thinned_without_need():
    found, thinned = raw_series({"loss": Series(np.array([1, 2]), np.array([0.5, np.nan]))})
    assert thinned == {}
    assert json.loads(for_script(found)) == {"loss": {"steps": [1, 2], "values": [0.5, "NaN"]}}
