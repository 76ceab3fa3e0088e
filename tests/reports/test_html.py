import json
import re
from html.parser import HTMLParser

import pytest

from kazami.records import Finding, Sentence
from kazami.reports import document, render_html
from kazami.reports.html import fill
from tests.reports import runs

PAGES = {name: (lambda make=make: (run := make(), render_html(run.info, run.trace, run.findings))) for name, make in runs.ALL.items()}


class Elements(HTMLParser):
    """Collects the elements of a page, and the text of each."""

    def __init__(self):
        super().__init__()
        self.seen, self.text = [], {}

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, text):
        if self.seen:
            self.text.setdefault(len(self.seen) - 1, []).append(text)


def parsed(page):
    parser = Elements()
    parser.feed(page)
    return parser


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="kazami-data">(.*?)</script>', page, re.DOTALL)[1])


@pytest.mark.parametrize("name", runs.ALL)
def test_the_page_is_whole_and_refers_to_nothing_outside(name):
    _, page = PAGES[name]()
    assert page.startswith("<!DOCTYPE html>")
    assert "[[" not in page.split('<script type="application/json"')[0]
    names = {f"http://www.w3.org/{name}" for name in ("2000/svg", "1999/xhtml", "1998/Math/MathML")}  # of languages; nobody asks for them
    assert set(re.findall(r"https?://[^\s\"'<>)]+", page)) <= names
    elements = parsed(page).seen
    assert not [attributes for _, attributes in elements if {"src", "action"} & set(attributes)]
    assert [attributes["href"] for _, attributes in elements if "href" in attributes] == ["data:,"]
    policy = next(attributes["content"] for _, attributes in elements if attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", runs.ALL)
def test_the_numbers_inside_are_strict_json_and_hold_the_document(name):
    run, page = PAGES[name]()
    found = data_of(page)
    expected = document(run.info, run.findings, None)
    assert {key: found[key] for key in expected} == expected
    assert set(found["series"]) == set(run.trace.series)
    assert [layer["name"] for layer in found["layers"]] == [layer.name for layer in run.trace.layers]


def evil_run():
    run = runs.vanishing(name=runs.EVIL)
    finding = Finding("KZ1", runs.EVIL, "error", 1.0, 1, runs.EVIL, Sentence(runs.EVIL + "<!--", runs.EVIL), is_primary=True)
    info = runs.info(runs.EVIL, 600, command=f"python {runs.EVIL}", blind=[runs.EVIL], environment={runs.EVIL: runs.EVIL}, reason="\udcff" + runs.EVIL)
    return runs.Run(info, run.trace, (finding,))


def test_no_string_of_the_user_becomes_markup():
    run = evil_run()
    page = render_html(run.info, run.trace, run.findings)
    elements = parsed(page).seen
    assert [tag for tag, _ in elements].count("script") == 2
    assert not [tag for tag, _ in elements if tag == "img"]
    assert "<img" not in page
    assert data_of(page)["layers"][0]["name"] == runs.EVIL
    page.encode("utf-8")


def test_the_page_opens_in_the_language_asked_for():
    run = runs.storm()
    page = render_html(run.info, run.trace, run.findings, language="ja")
    assert '<html lang="ja">' in page
    assert '<h1 id="verdict">学習率が安定限界の 33 倍です。</h1>' in page
    assert '<html lang="en">' in render_html(run.info, run.trace, run.findings)


def test_the_map_keeps_its_extremes_however_long_the_run():
    _, page = PAGES["long"]()
    view = data_of(page)["view"]["map"]
    assert len(view["steps"]) <= 1500
    column = max(place for place, step in enumerate(view["steps"]) if step <= 1712)
    assert view["wind"][40][column] == 1.97
    assert max(data_of(page)["view"]["loss"]["high"]) == 9.0
    assert len(page) < 4_500_000


def test_the_bottom_row_of_a_dead_calm_is_calmer_than_the_top():
    _, page = PAGES["vanishing"]()
    wind = data_of(page)["view"]["map"]["wind"]
    assert max(wind[0]) < min(wind[-1])


def test_a_hole_filled_with_a_hole_stays_text():
    assert fill("[[a]][[b]]", {"a": "[[b]]", "b": "x"}) == "[[b]]x"
