"""Rows, tables and outcomes."""

import math

import numpy as np
import pytest

from kazami.lab.outcome import Outcome, Rows, Table
from kazami.records import Check, Sentence

ROWS = Rows([{"seed": seed, "kind": kind, "loss": loss} for seed, kind, loss in [(0, "a", 1.0), (0, "b", 2.0), (1, "a", 3.0), (1, "b", 5.0), (2, "a", 9.0)]])


def outcome(*checks, is_complete=True):
    """Return an outcome with these checks."""
    return Outcome("x", True, 0, checks, (), Sentence("a", "あ"), is_complete)


def test_statistics_over_rows():
    assert ROWS.where(kind="a").mean("loss") == pytest.approx(13 / 3)
    assert (ROWS.median("loss"), ROWS.least("loss"), ROWS.largest("loss")) == (3.0, 1.0, 9.0)
    assert ROWS.distinct("kind") == ["a", "b"]


def test_what_was_not_measured_is_nan():
    nothing = ROWS.where(kind="c")
    assert all(math.isnan(value) for value in (nothing.mean("loss"), nothing.median("loss"), nothing.least("loss"), nothing.largest("loss")))
    assert math.isnan(nothing.share_above("loss", {"kind": "a"}, {"kind": "b"}))


def test_pairs_are_by_seed():
    assert ROWS.paired("loss", {"kind": "a"}, {"kind": "b"}).tolist() == [[1.0, 2.0], [3.0, 5.0]]
    assert ROWS.share_above("loss", {"kind": "a"}, {"kind": "b"}) == 1.0
    assert ROWS.share_above("loss", {"kind": "b"}, {"kind": "a"}) == 0.0


def test_the_mean_of_arrays_is_an_array():
    rows = Rows([{"profile": [1.0, 2.0]}, {"profile": [3.0, 6.0]}])
    assert np.array_equal(rows.mean("profile"), [2.0, 4.0])


def test_a_table_becomes_plain_data():
    table = Table.of(Sentence("title", "題"), [("a", "あ"), ("b", "い")], [(1, np.float64(0.5)), ("x", True)])
    assert table.to_dict() == {"title": "title", "header": ["a", "b"], "rows": [[1, 0.5], ["x", True]]}


def test_an_outcome_passes_only_complete_and_with_every_check():
    good, bad = Check("g", 1.0, 1.0), Check("b", 2.0, 1.0)
    assert outcome(good).passed
    assert not outcome(good, bad).passed
    assert not outcome(good, is_complete=False).passed
    assert outcome(bad).to_dict()["checks"][0]["passed"] is False
    assert outcome(good).to_dict()["schema"] == 1


def test_an_outcome_without_a_drawing_says_so():
    with pytest.raises(ValueError, match="no drawing"):
        outcome().figure()
