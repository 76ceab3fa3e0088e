"""Figures of lines."""

import numpy as np
import pytest

from kazami.lab.line_figure import Panel, line_figure, panel_figure
from kazami.records import Sentence

TITLE, LABELS = Sentence("Title", "題"), (Sentence("x", "横"), Sentence("y", "縦"))


@pytest.mark.parametrize(("language", "title"), [("en", "Title"), ("ja", "題")])
def test_lines_theory_and_references_are_drawn(language, title):
    lines = {"a": [1.0, 2.0], "b": ([0, 5], [3.0, 4.0])}
    figure = line_figure(lines, title=TITLE, labels=LABELS, language=language, theory={"a": [1.0, 2.0]}, references={"bound": [0.0, 0.0]})
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == title
    assert [line.get_xdata().tolist() for line in axes.lines] == [[0, 1], [0, 5], [0, 1], [0, 1]]
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"a", "b", "bound", "theory" if language == "en" else "理論"}


def test_no_lines_at_all_are_no_error():
    assert line_figure({}, title=TITLE, labels=LABELS, language="en").axes


def test_panels_repeat_no_legend_and_tick_where_asked():
    panel = Panel({"a": ([10, 30], np.array([1.0, 2.0]))}, TITLE, LABELS, ("log", "linear"), [10, 30])
    left, right = panel_figure([panel, panel], language="en").axes
    assert left.get_legend()
    assert right.get_legend() is None
    assert [text.get_text() for text in left.get_xticklabels()] == ["10", "30"]
