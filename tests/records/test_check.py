"""A check passes where the number lies, and nowhere else."""

import math

import pytest

from kazami.records import Check


@pytest.mark.parametrize(
    ("kind", "measured", "passes"),
    [
        ("within", 1.1, True),
        ("within", 0.89, False),
        ("within", 1.11, False),
        ("at_least", 5.0, True),
        ("at_least", 0.9, True),
        ("at_least", 0.89, False),
        ("at_most", -5.0, True),
        ("at_most", 1.1, True),
        ("at_most", 1.11, False),
        ("within", math.nan, False),
        ("at_least", math.nan, False),
        ("at_most", math.nan, False),
        ("at_least", math.inf, True),
    ],
)
def test_where_it_passes(kind, measured, passes):
    check = Check("x", measured=measured, expected=1.0, tolerance=0.1 + 1e-12, kind=kind)
    assert check.passed is passes
    assert check.to_dict()["passed"] is passes


def test_names_in_both_languages():
    check = Check("slope", 1.0, 1.0, name_ja="傾き")
    assert (check.name_in("ja"), check.name_in("en")) == ("傾き", "slope")
    assert Check("slope", 1.0, 1.0).name_in("ja") == "slope"
