"""The page: whole, bilingual, safe, and silent on the network."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from kazami.tour.page import render_page
from tests.tour.invented import NASTY, Failing, Fine, taken


class Elements(HTMLParser):
    """Collects elements, and complains about what is not closed."""

    VOID = frozenset({"meta", "link", "br", "img"})

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Remember the element."""
        self.found.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        """Remember the element."""
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        """Close the innermost element, which must be this one."""
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page():
    return render_page(taken(Fine, Failing), language="ja")


def test_every_element_is_closed_and_ids_are_unique(page):
    elements = Elements(page)
    assert elements.open == []
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_nothing_is_requested_and_a_policy_forbids_it(page):
    elements = Elements(page).found
    addresses = [value for _, attributes in elements for name, value in attributes.items() if name in ("src", "href", "xlink:href", "action")]
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert not re.search(r"url\((?!#)", page)
    policy = next(attributes["content"] for _, attributes in elements if attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_what_a_panel_says_is_text_and_never_markup(page):
    assert NASTY not in page
    assert page.count("<script>") == 1
    assert "<code>a &lt; b</code>" in page


def test_both_languages_are_there_and_the_page_opens_in_the_asked_one(page):
    found = Elements(page).found
    assert found[0] == ("html", {"lang": "ja"})
    for language in ("en", "ja"):
        assert all(attributes.get("lang") == language for _, attributes in found if attributes.get("class") == language)
    assert "42 を発見" in page
    assert "Found 42" in page


def test_headings_go_down_by_one(page):
    levels = [int(tag[1]) for tag, _ in Elements(page).found if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_failed_panel_and_a_failed_expectation_are_shown(page):
    assert "このパネルは計算できませんでした" in page
    assert "RuntimeError: no luck" in page
    assert "<b>✗</b>" in page
    assert "<b>✓</b>" in page


def test_a_figure_that_cannot_be_drawn_leaves_its_table():
    tour = taken(Fine)
    (stop,) = tour.stops
    import dataclasses

    def draw(language):
        raise ValueError("no pen")

    picture = dataclasses.replace(stop.result.pictures[0], draw=draw)
    tour.stops[0] = dataclasses.replace(stop, result=dataclasses.replace(stop.result, pictures=(picture,)))
    text = render_page(tour)
    assert "ValueError: no pen" in text
    assert "<table>" in text


def test_a_tour_cut_short_says_so():
    tour = taken(Fine)
    tour.is_interrupted = True
    assert "cut short" in render_page(tour)


def test_the_report_rules_for_its_own_drawings_are_left_out(page):
    assert not re.search(r"^svg text \{", page, re.MULTILINE)
