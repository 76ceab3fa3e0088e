"""Numerical derivatives against backpropagation."""

from kazami.lab import experiment
from kazami.lab.outcome import Rows

ONE = experiment("numeric-vs-backprop")


def cost(method, passes, error=0.0, *, is_extrapolated=False):
    """Return the cost of one method as it would be measured."""
    return {"method": method, "passes": passes, "passes_run": 9, "is_extrapolated": is_extrapolated, "error": error, "seconds": 1.0}


def row(weights=51, forward=52, backprop=2, error=1e-9, **more):
    """Return a row as it would be measured."""
    costs = [cost("backprop", backprop), cost("forward", forward, error, **more), cost("central", 2 * weights, 1e-11), cost("complex", weights, 1e-16)]
    return {"seed": 0, "weights": weights, "costs": {each["method"]: each for each in costs}}


def failed(*rows):
    """Return the names of the checks that fail."""
    return [check.name for check in ONE.checks(Rows(rows)) if not check.passed]


def test_a_small_network_is_counted():
    found = ONE.measure({"seed": 0, "hidden": 4, "budget": 20.0})
    assert found["weights"] == 8 * 4 + 4 + 4 * 3 + 3
    assert {method: each["passes"] for method, each in found["costs"].items()} == {"backprop": 2, "forward": 52, "central": 102, "complex": 51}
    assert failed({"seed": 0, **found}) == []


def test_what_does_not_hold_would_be_seen():
    assert failed(row()) == []
    assert failed(row(forward=51)) == ["forward differences: passes - weights, 51 weights"]
    assert failed(row(backprop=3)) == ["backprop: passes, 51 weights"]
    assert failed(row(error=1e-3)) == ["forward, all derivatives run: largest relative difference from backprop"]


def test_the_sample_of_the_large_network_is_not_held_to_the_precision_of_the_small_ones():
    assert failed(row(), row(weights=1_000_000, forward=1_000_001, error=1e-4, is_extrapolated=True)) == []
