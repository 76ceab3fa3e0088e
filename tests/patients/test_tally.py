"""The figures, counted by hand."""

from kazami.patients.healing import Healing
from kazami.patients.reading import Reading
from kazami.patients.tally import Count, Line, of_healings, of_readings, table

READINGS = [
    Reading("a", "lr_too_high", ("lr_too_high", "nan_inf"), early=("nan_inf", "lr_too_high"), whole=("lr_too_high",)),
    Reading("b", "dead_units", ("dead_units",), early=("saturated",), whole=("dead_units", "saturated")),
    Reading("c", "dead_units", ("dead_units",), early=(), whole=("dead_units",)),
    Reading("d", None, (), early=(), whole=("saturated",)),
]


def healing(name, label, scores, *, is_changed=True):
    return Healing(name, label, is_changed, ("x",), scores, 0.5, 3, 1.0)


def counts(lines, column):
    return {line.name: (line.counts[column].n, line.counts[column].of) for line in lines}


def test_the_figures_of_the_diagnosis():
    lines = of_readings(READINGS)
    assert counts(lines, "early") == {
        "ill flagged": (2, 3),
        "healthy flagged": (0, 1),
        "a true cause named": (1, 3),
        "first finding true": (1, 3),
        "primary is the planted cause": (0, 3),
        "findings that are true": (2, 3),
    }
    assert counts(lines, "whole") == {
        "ill flagged": (3, 3),
        "healthy flagged": (1, 1),
        "a true cause named": (3, 3),
        "first finding true": (3, 3),
        "primary is the planted cause": (3, 3),
        "findings that are true": (3, 5),
    }


def test_cured_is_well_with_every_fresh_seed_and_harmed_is_changed_and_not_well():
    healings = [
        healing("a", "x", (0.5, 0.9, 0.7)),
        healing("b", "x", (0.9, 0.9, 0.4)),
        healing("c", "x", (0.9, None, 0.9)),
        healing("d", None, (0.9, 0.9, 0.9)),
        healing("e", None, (0.1, 0.9, 0.9)),
        healing("f", None, (0.1, 0.9, 0.9), is_changed=False),
    ]
    assert counts(of_healings(healings), "cure") == {"cured": (1, 3), "healthy harmed": (1, 3)}


def test_an_aim_is_met_from_its_own_side_and_never_by_nobody():
    at_least, at_most = (Line("x", sign, 0.5, {"one": Count(1, 2), "none": Count(0, 0), "all": Count(2, 2)}) for sign in ("≥", "≤"))
    assert [at_least.is_met(column) for column in ("one", "none", "all")] == [True, False, True]
    assert [at_most.is_met(column) for column in ("one", "none", "all")] == [True, False, False]


def test_the_table_shows_share_count_and_aim():
    text = table(of_readings(READINGS), {"early": "early", "whole": "whole"})
    assert "ill flagged                       ≥ 0.95   · 0.667 (2/3)           ✓ 1.000 (3/3)" in text
    assert of_readings(READINGS)[0].to_dict()["whole"] == {"n": 3, "of": 3, "share": 1.0, "met": True}
    assert of_readings([])[0].to_dict()["whole"]["share"] is None
