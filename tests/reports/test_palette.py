import math

import numpy as np
import pytest

from kazami.reports.palette import BREEZE, BREEZE_DARK, DEAD_CALM, HEALTHY, LIMITS, STORM, colour_of, letter_of, stops


def lightness(colour):
    linear = [part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("is_dark", [False, True])
def test_the_scale_rises_and_holds_the_anchors(is_dark):
    places = [place for place, _ in stops(is_dark)]
    assert places == sorted(set(places))
    assert (places[0], places[-1]) == LIMITS
    assert [colour for _, colour in stops(is_dark)][0::3] == [DEAD_CALM, BREEZE_DARK if is_dark else BREEZE, STORM]


def test_lightness_is_v_shaped_so_that_both_ends_are_dark_in_print():
    winds = np.linspace(*LIMITS, 60)
    shades = np.array([lightness(colour_of(wind)) for wind in winds])
    peak = int(shades.argmax())
    assert HEALTHY[0] < winds[peak] < HEALTHY[1]
    assert (np.diff(shades[: peak + 1]) >= -1e-9).all()
    assert (np.diff(shades[peak:]) <= 1e-9).all()


def test_calm_is_blue_and_storm_is_red():
    assert colour_of(-4.0)[2] > colour_of(-4.0)[0]
    assert colour_of(1.5)[0] > colour_of(1.5)[2]


def test_what_is_not_finite_has_no_colour_of_the_scale():
    assert colour_of(math.nan) == colour_of(math.inf) == (0xC2, 0x18, 0x9A)
    assert colour_of(-math.inf) == colour_of(LIMITS[0])


@pytest.mark.parametrize(("wind", "letter"), [(HEALTHY[0], "B"), (HEALTHY[1], "B"), (HEALTHY[0] - 0.01, "C"), (HEALTHY[1] + 0.01, "S"), (math.nan, "N")])
def test_letters_follow_the_band(wind, letter):
    assert letter_of(wind) == letter
