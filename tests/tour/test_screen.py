"""The tour in a terminal."""

from dataclasses import replace

import pytest

from kazami.records import Sentence
from kazami.reports.wrapping import width_of
from kazami.tour._base import Deeper
from kazami.tour.screen import _way_on, head_line, last_lines, stop_lines
from tests.tour.invented import Failing, Fine, taken


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(language, width):
    for stop in taken(Fine, Failing).stops:
        assert all(width_of(line) <= width for line in stop_lines(stop, language, width, colour=False))


def test_without_colour_there_are_no_escapes_and_with_it_the_marks_have_inks():
    (stop,) = taken(Fine).stops
    plain, coloured = (stop_lines(stop, "en", 100, colour=colour) for colour in (False, True))
    assert not any("\x1b" in line for line in [*plain, head_line("ja", colour=False)])
    assert any("\x1b[32m✓" in line for line in coloured)


def test_finding_failed_expectation_and_command_are_there():
    (stop,) = taken(Fine).stops
    text = "\n".join(stop_lines(stop, "ja", 80, colour=False))
    assert "42 を発見" in text
    assert "予想と違います：違う が 1（予想 2）" in text
    assert "→ kazami demo   デモ" in text


def test_a_command_that_does_not_fit_whole_gives_way_to_one_that_does():
    ways = [Deeper("x" * 70, Sentence("long", "長い")), Deeper("kazami demo", Sentence("short", "短い"))]
    assert _way_on(ways, "en", 60, False) == "→ kazami demo   short"
    assert _way_on(ways, "en", 100, False) == f"→ {'x' * 70}   long"


def test_a_failed_panel_and_the_end_say_what_happened():
    tour = taken(Failing)
    assert "could not be computed: RuntimeError" in "\n".join(stop_lines(tour.stops[0], "en", 100, colour=False))
    (last,) = last_lines(tour.stops, "somewhere.html", "ja", is_interrupted=True, colour=False)
    assert "中断" in last
    assert last.endswith("somewhere.html")


def test_a_finding_that_is_too_long_ends_with_dots():
    (stop,) = taken(Fine).stops
    long = replace(stop, result=replace(stop.result, finding=Sentence("word " * 100, "語" * 400)))
    lines = stop_lines(long, "en", 60, colour=False)
    assert lines[3].endswith("…")
    assert width_of(lines[3]) <= 60
