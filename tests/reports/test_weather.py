import numpy as np
import pytest

from kazami.records import Series, Trace
from kazami.reports.weather import map_title, newest, remarkable, weather_of
from tests.reports import runs


def titled(run):
    return map_title(weather_of(run.trace, run.findings)).en


def test_titles_state_what_is_measured():
    assert titled(runs.vanishing()).startswith("Layer fc1 receives 1/3")
    assert titled(runs.storm()) == "From step 83 on, gradients are NaN or infinite"
    assert titled(runs.healthy()) == "A breeze in all 8 layers"
    assert titled(runs.blind()) == "No layer was seen, so there is no weather map."


@pytest.mark.parametrize(
    ("wind", "start"),
    [
        ([-1.0, 1.2], "Too much wind in 1 of 2 layers, most in fc2"),
        ([-20.0, 0.0], "No gradient at all reaches layer fc1"),
        ([-2.9, -2.0], "Too little wind in 1 of 2"),
    ],
)
def test_titles_of_one_step(wind, start):
    trace = runs.trace_of(np.array([1]), np.array([wind]), np.array([1.0]))
    assert map_title(weather_of(trace)).en.startswith(start)


def test_a_frozen_layer_is_not_a_hurricane_and_a_nan_before_the_end_is_a_gap():
    run = runs.storm()
    wind = run.trace["layer_wind"].values.copy()
    wind[:, 2] = np.nan
    wind[10, 3] = np.nan
    weather = weather_of(run.trace.replaced(series={**run.trace.series, "layer_wind": Series(run.trace["layer_wind"].steps, wind)}))
    assert np.isnan(weather.wind[:, 2]).all()
    assert np.isnan(weather.wind[10, 3])
    assert np.isposinf(weather.wind[82:, [0, 1, 3, 4, 5]]).all()


def test_norms_are_matched_by_step():
    trace = runs.trace_of(np.array([2, 4]), np.zeros((2, 1)), np.ones(4))
    series = {**trace.series, "gradient_norm": Series(np.array([1, 2, 3]), np.array([[1.0], [2.0], [3.0]]))}
    np.testing.assert_equal(weather_of(trace.replaced(series=series)).norm, [[2.0], [np.nan]])


def test_series_that_do_not_fit_the_layers_are_left_out():
    assert weather_of(Trace(3, {"layer_wind": Series(np.array([1]), np.zeros((1, 4)))})).is_empty


def test_the_most_remarkable_value_stands_for_many():
    rows = np.array([[-1.0, 0.2, -4.0], [np.nan, -1.0, np.nan], [np.inf, -9.0, 0.0], [-np.inf, 1.9, 0.0]])
    np.testing.assert_equal(remarkable(rows, axis=1), [-4.0, -1.0, np.inf, -np.inf])


def test_the_newest_value_skips_gaps():
    np.testing.assert_equal(newest(np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan]])), [2.0, np.nan])
