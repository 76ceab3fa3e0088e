"""Every panel on less work: what it says, draws and shows is whole, in both languages, and made of its own numbers."""

import json
import re

import pytest

from kazami.reports.plain import plain
from kazami.reports.wrapping import width_of
from kazami.tour import cure_trials
from kazami.tour.page import render_page
from kazami.tour.panels import calm_and_storm, descent, identity, neuron_to_network, two_trainings
from kazami.tour.taking import Tour, all_panels, take


@pytest.fixture(scope="module")
def tour():
    """Give the whole tour with fewer cures, depths, pairs and seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cure_trials, "CURES", tuple(cure for cure in cure_trials.CURES if cure.brief.en in ("batch norm", "Xavier", "residual", "ReLU+He")))
        patch.setattr(cure_trials, "STEPS", 24)
        patch.setattr(identity, "DEPTHS", (4, 6, 16))
        patch.setattr(identity, "STYLES", dict(zip((4, 6, 16), identity.STYLES.values(), strict=True)))
        patch.setattr(two_trainings, "INITIALISATIONS", 10)
        patch.setattr(two_trainings, "LONG", 320)
        patch.setattr(descent, "BUDGET", 0.3)
        patch.setattr(neuron_to_network, "FIT_STEPS", 60)
        yield Tour(list(take(all_panels(), lambda panel, sentence: None)))


@pytest.fixture(params=range(5), ids=["calm_and_storm", "identity", "neuron_to_network", "descent", "two_trainings"])
def stop(tour, request):
    """Return one panel as it went."""
    return tour.stops[request.param]


def sentences(result):
    """Return everything a panel says."""
    said = [result.finding, *result.text, *(one.sentence for one in result.deeper)]
    return said + [words for picture in result.pictures for words in (picture.title, picture.notice)]


def test_it_can_be_computed(stop):
    assert stop.error == ""


def test_it_speaks_both_languages(stop):
    for sentence in sentences(stop.result):
        assert sentence.en
        assert any(ord(letter) > 0x3000 for letter in sentence.ja), sentence.ja
        assert not any(ord(letter) > 0x3000 for letter in sentence.en), sentence.en


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_its_lines_are_few_and_fit(stop, language, colour):
    lines = stop.result.lines(language, 100, colour)
    assert 2 <= len(lines) <= 4
    if not colour:
        assert all(width_of(line) <= 100 for line in lines)


def test_its_numbers_are_strict_json(stop):
    assert json.loads(json.dumps(plain(dict(stop.result.numbers)), allow_nan=False))


def test_its_expectations_are_met(stop):
    assert stop.result.checks
    assert [check.name for check in stop.result.checks if not check.passed] == []
    assert all(check.name_ja and check.source for check in stop.result.checks)


def test_its_tables_are_rectangular_and_filled(stop):
    for picture in stop.result.pictures:
        assert picture.table.rows
        assert {len(row) for row in picture.table.rows} == {len(picture.table.header)}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_its_pictures_can_be_drawn(stop, language):
    for picture in stop.result.pictures:
        assert "<svg" in picture.draw(language)


def test_the_page_holds_all_of_them(tour):
    page = render_page(tour)
    assert all(f'id="{stop.panel.name}"' in page for stop in tour.stops)
    assert not re.search(r"\wError: ", page)


def test_calm_and_storm_marks_what_it_measured(tour):
    cures = tour.stops[0].result.numbers["cures"]
    assert cures["no cure"]["calm"]["wind"] == "dead calm"
    assert cures["no cure"]["calm"]["mark"] == "✗"
    assert cures["Xavier initialisation"]["calm"]["factor_per_layer"] < 0.25
    assert pytest.approx(9.5367e-7, rel=1e-4) == calm_and_storm.MOST**10


def test_the_million_weights_are_extrapolated_and_marked(tour):
    million = tour.stops[3].result.numbers["costs"][-1]
    assert million["n_weights"] == 1_000_000
    assert million["backprop"]["passes_run"] == 2
    (numeric,) = million["methods"]
    assert (numeric["passes"], numeric["is_extrapolated"]) == (1_000_001, True)
    assert numeric["passes_run"] < 1_000_001
    assert "extrapolated" in " ".join(sentence.en for sentence in tour.stops[3].result.text)
    assert "外挿" in " ".join(tour.stops[3].result.lines("ja", 100, False))


def test_the_softmax_is_the_one_of_the_texts(tour):
    softmax = tour.stops[2].result.numbers["explanation"]["softmax"]
    assert softmax["of"] == [1, 2, 3, 4, 1, 2, 3]
    assert [round(value, 3) for value in softmax["is"]] == [0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175]
