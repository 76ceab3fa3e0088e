"""Two maps on one grid of steps."""

import numpy as np

from kazami.reports.weather import weather_of
from kazami.reports.weather_pair import COLUMNS, gridded, weather_pair
from tests.reports import runs


def weather(steps, wind):
    wind = np.asarray(wind, dtype=float)
    return weather_of(runs.trace_of(np.asarray(steps), wind, np.ones(max(steps))))


def test_a_layer_keeps_its_weather_until_it_is_seen_again_and_has_none_after_the_end():
    cells = gridded(weather([1, 4], [[-1.0], [1.5]]), 6)
    np.testing.assert_array_equal(cells, [[-1.0, -1.0, -1.0, 1.5, np.nan, np.nan]])


def test_a_column_of_many_steps_shows_the_farthest_from_a_breeze():
    steps = np.arange(1, 10 * COLUMNS + 1)
    wind = np.full((steps.size, 1), -1.0)
    wind[57] = -6.0
    cells = gridded(weather(steps, wind), 10 * COLUMNS)
    assert cells.shape == (1, COLUMNS)
    assert cells[0, 5] == -6.0
    assert (np.delete(cells[0], 5) == -1.0).all()


def test_many_layers_are_gathered_under_their_first_and_last_name():
    drawn = weather_pair(None, runs.long_and_deep().trace, "en")
    assert drawn.count("<span title=") == 18
    assert " … " in drawn


def test_nothing_seen_nothing_drawn():
    assert weather_pair(None, None, "en") == ""
    assert weather_pair(runs.blind().trace, None, "ja") == ""
