"""Maps and strips: the right colour in the right place."""

import re

import numpy as np
import pytest

from kazami.records import Sentence
from kazami.reports.palette import LIMITS, colour_of
from kazami.tour.weather_picture import N_LEVELS, large_map, level_of, level_styles, map_svg, squeezed, strip


def shapes(svg):
    """Return for each class the rectangles (x, y, width) drawn in it."""
    found = {}
    for name, path in re.findall(r'<path class="(\w+)" d="([^"]+)"', svg):
        found[name] = [(int(x), int(y), int(width)) for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", path)]
    return found


def test_the_input_layer_is_at_the_bottom_and_equal_neighbours_are_one_shape():
    wind = np.array([[-9.0, -9.0, np.inf], [2.0, 2.0, 2.0]])  # (layers, steps)
    assert shapes(map_svg(wind)) == {"k0": [(0, 1, 2)], "kn": [(2, 1, 1)], "k32": [(0, 0, 3)]}


def test_every_level_has_its_colour_in_light_and_in_dark():
    styles = level_styles()
    low, high = LIMITS
    for level in (0, 7, N_LEVELS):
        wind = low + (high - low) * level / N_LEVELS
        assert level_of(wind) == f"k{level}"
        for is_dark, where in ((False, f"}}.k{level}{{fill:" if level else f".k{level}{{fill:"), (True, f'[data-theme="dark"] .k{level}{{fill:')):
            assert where + "#" + "".join(f"{part:02x}" for part in colour_of(wind, is_dark)) in styles


def test_what_is_squeezed_shows_the_farthest_from_a_breeze():
    wind = np.array([[-1.0, -1.0, -5.0, -1.0, -1.0, np.inf]])
    np.testing.assert_array_equal(squeezed(wind, 2), [[-5.0, np.inf]])


def test_a_strip_is_letters_without_colour_and_as_wide_with_it():
    winds = [-5.0, -1.0, 2.0, np.inf]
    assert strip(winds, colour=False) == "CBSN"
    assert re.sub(r"\x1b\[[0-9;]*m", "", strip(winds, colour=True)) == "    "


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_large_map_names_its_layers_from_the_output_down(language):
    html = large_map(np.zeros((2, 3)), ["first", "last"], [1, 5, 9], Sentence("a map", "地図"), language)
    assert html.index("last") < html.index("first")
    assert f'aria-label="{"地図" if language == "ja" else "a map"}"' in html
    assert "> 1<" in html
    assert ">9<" in html
