"""Sentences in both languages, tables, and figures that follow the page."""

import re

from kazami.records import Sentence
from kazami.reports.figures import PATH, SERIES, drawing, new_figure
from kazami.tour._base import Table
from kazami.tour.markup import DARK, dark_styles, figure_svg, joined_words, said, table_html


def luminance(code):
    """Return the relative luminance of a colour (WCAG 2)."""
    parts = [int(code[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_sentence_is_there_twice_each_with_its_language():
    assert said(Sentence("a & b", "甲"), "p", class_="x") == '<p lang="en" class="en x">a &amp; b</p><p lang="ja" class="ja x">甲</p>'


def test_a_table_has_heads_for_rows_and_columns():
    html = table_html(Table((Sentence("x", "x"), Sentence("y", "値")), (("1", "2"),)))
    assert html.count('scope="col"') == 2
    assert html.count('scope="row"') == 1


def test_a_figure_speaks_both_languages_and_takes_its_colours_from_the_page():
    figure, axes = new_figure()
    with drawing():
        axes.plot([0, 1], [0, 1], color=SERIES[0], label="one & two")
        axes.set_xlabel("step")
        axes.legend()
    svg = figure_svg(figure, Sentence("what is seen", "見えるもの"), {"step": "ステップ", "one & two": "一と二"}, "ja")
    assert re.search(r'<text class="en" lang="en"[^>]*>step</text><text class="ja" lang="ja"[^>]*>ステップ</text>', svg)
    assert "一と二" in svg
    assert f"var(--c{SERIES[0][1:]}, {SERIES[0]})" in svg
    assert 'aria-label="見えるもの"' in svg
    assert 'data-en="what is seen"' in svg


def test_every_colour_of_a_figure_has_one_for_the_dark_that_stands_out():
    card = luminance("#172025")
    for colour in {*SERIES, PATH} - {SERIES[-1]}:  # the last one is ink, which the page has anyway
        assert colour in DARK
        assert (luminance(DARK[colour]) + 0.05) / (card + 0.05) >= 4.5
    assert f"--c{SERIES[1][1:]}:{DARK[SERIES[1]]}" in dark_styles()


def test_words_are_joined_as_people_do():
    names = [Sentence(letter, letter) for letter in "abc"]
    assert joined_words(names).en == "a, b and c"
    assert joined_words(names[:1]).en == "a"
    assert joined_words([]).ja == "なし"
