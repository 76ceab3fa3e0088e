"""One panel after the other; what fails costs none of the others."""

import json

import pytest

from kazami.tour.taking import all_panels, document, take
from tests.tour.invented import Failing, Fine, Interrupted, taken


def test_there_are_five_panels_in_order_with_names_in_both_languages():
    panels = all_panels()
    assert [panel.number for panel in panels] == [1, 2, 3, 4, 5]
    assert len({panel.name for panel in panels}) == 5
    assert all(panel.topic.en and panel.topic.ja for panel in panels)


def test_a_panel_that_fails_says_so_and_the_tour_goes_on():
    tour = taken(Failing, Fine)
    assert [bool(stop.result) for stop in tour.stops] == [False, True]
    assert "RuntimeError: no luck" in tour.stops[0].error
    assert tour.exit_code == 1
    assert taken(Fine).exit_code == 0


def test_what_is_going_on_is_told():
    heard = []
    list(take([Fine()], lambda panel, sentence: heard.append((panel.number, sentence.ja))))
    assert heard == [(1, "途中")]


def test_an_interruption_goes_through():
    stops = take([Fine(), Interrupted(), Fine()], lambda panel, sentence: None)
    assert next(stops).result is not None
    with pytest.raises(KeyboardInterrupt):
        next(stops)


def test_the_document_is_strict_json_with_every_number():
    text = json.dumps(document(taken(Fine, Failing), "page.html"), allow_nan=False)
    data = json.loads(text)
    assert data["schema"] == 1
    assert data["page"] == "page.html"
    assert data["panels"][0]["numbers"] == {"answer": 42, "lost": "NaN"}
    assert [check["passed"] for check in data["panels"][0]["checks"]] == [True, False]
    assert data["panels"][1]["error"].startswith("RuntimeError")
