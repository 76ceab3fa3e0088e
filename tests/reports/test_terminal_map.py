import re

import numpy as np
import pytest

from kazami.records import wind_of
from kazami.reports import live_line, weather_map_text
from kazami.reports.terminal_map import RAMP
from kazami.reports.wrapping import width_of
from tests.reports import runs

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("width", [40, 80, 132])
@pytest.mark.parametrize("name", runs.ALL)
def test_the_map_has_at_most_eight_lines_of_one_width(name, width, colour):
    run = runs.ALL[name]()
    lines = ANSI.sub("", weather_map_text(run.trace, width, colour=colour)).splitlines()
    assert len(lines) <= 8
    assert max(map(width_of, lines)) <= width
    assert len({width_of(line) for line in lines[:-1]}) <= 1


def test_the_input_stands_at_the_bottom_and_is_calmer():
    lines = weather_map_text(runs.vanishing().trace, 80).splitlines()
    names = [line.split()[0] for line in lines[:-1]]
    assert names[0] == "fc12"
    assert names[-1] == "fc1"
    top, bottom = (np.mean([RAMP.index(sign) for sign in line.split("|")[1]]) for line in (lines[0], lines[-2]))
    assert bottom < top
    assert (lines[0][-1], lines[-2][-1]) == ("B", "C")


def test_nan_has_its_own_letter_and_a_spike_survives():
    assert "NNN" in weather_map_text(runs.storm().trace, 80)
    assert "#" in weather_map_text(runs.long_and_deep().trace, 80)


def test_colours_are_those_of_the_palette():
    text = weather_map_text(runs.vanishing().trace, 80, colour=True)
    assert "▀" in text
    assert "\x1b[38;2;" in text


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_live_line_fits(width, language):
    line = live_line(12345, 0.69314, wind_of(2), "transformer.layers.11.attention.query", width=width, language=language)
    assert width_of(line) <= width
    assert line.startswith("⚡")


def test_the_live_line_speaks_japanese():
    assert live_line(3, float("nan"), wind_of(3), "", width=60, language="ja") == "✕ 颶風 · ステップ 3 · 損失 NaN"
