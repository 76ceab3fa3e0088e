"""The identity task."""

import math

import pytest

from kazami.lab import experiment
from kazami.lab.outcome import Rows

ONE = experiment("identity-task")


def test_rezero_has_nothing_to_learn():
    found = ONE.measure({"seed": 0, "kind": "rezero", "steps": 10})
    assert found["untrained"] == 0.0
    assert found["errors"] == [0.0] * 11
    assert found["within"] == 0.0


def test_a_few_steps_bring_a_residual_network_nearer_than_a_plain_one():
    plain, residual = (ONE.measure({"seed": 0, "kind": kind, "steps": 40}) for kind in ("plain", "s = 1/sqrt(L)"))
    assert residual["end"] < plain["end"]
    assert plain["within"] == math.inf


def row(kind, **more):
    """Return a row as it would be measured, with the numbers that matter here."""
    ratios = more.pop("ratios", [[0.3], [0.2]])
    return {"seed": 0, "kind": kind, "untrained": 0.0, "power": 0.0, "errors": [1.0], "within": 0.0, "end": 1.0, **more, "ratios": ratios}


@pytest.mark.parametrize(
    ("rows", "failing"),
    [
        ([row("rezero", untrained=1e-9)], "residual, rezero: error before training"),
        ([row("plain", untrained=0.5)], "plain: error before training"),
        ([row("s = 1", power=3.0)], "residual, s = 1: log2(1 + error) before training"),
        ([row("rezero"), row("plain", untrained=2.0, end=0.5)], "residual, rezero: share of seeds that end nearer than plain"),
        ([row("s = 1/sqrt(L)", power=1.375, ratios=[[0.3], [0.4]])], "s = 1/sqrt(L): |f(x)|/|x| at the end over that at the start, largest"),
    ],
)
def test_what_does_not_hold_would_be_seen(rows, failing):
    failed = [check.name for check in ONE.checks(Rows(rows)) if not math.isnan(check.measured) and not check.passed]
    assert failed == [failing]
