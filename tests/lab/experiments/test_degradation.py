"""Degradation of deep plain networks."""

import pytest

from kazami.lab import experiment
from kazami.lab.outcome import Rows

ONE = experiment("degradation")


def row(kind, depth, loss, *, accuracy=1.0, seed=0):
    """Return a row as it would be measured."""
    return {"seed": seed, "kind": kind, "depth": depth, "steps": 1, "train_loss": loss, "train_accuracy": accuracy, "test_accuracy": accuracy}


HEALTHY = [row("plain", 10, 0.1), row("plain", 60, 1.0), row("residual", 10, 0.1), row("residual", 60, 0.01), row("dense", 10, 0.1), row("dense", 60, 0.01)]


def test_the_pattern_of_the_paper_passes():
    assert all(check.passed for check in ONE.checks(Rows(HEALTHY)))


@pytest.mark.parametrize(
    ("place", "other", "failing"),
    [
        (1, row("plain", 60, 0.05), "plain: higher training loss"),
        (3, row("residual", 60, 0.5, accuracy=0.9), "residual: training accuracy lost"),
        (3, row("residual", 60, 1.5), "residual beats plain"),
        (5, row("dense", 60, 1.5), "dense beats plain"),
    ],
)
def test_another_pattern_would_be_seen(place, other, failing):
    rows = [*HEALTHY[:place], other, *HEALTHY[place + 1 :]]
    (failed,) = [check for check in ONE.checks(Rows(rows)) if not check.passed]
    assert failed.name.startswith(failing)


def test_depths_go_from_10_to_200():
    assert {row["depth"] for row in ONE.conditions(quick=False, seed=0)} == {10, 20, 50, 100, 200}


def test_a_deep_plain_network_is_worse_than_a_residual_one():
    plain, residual = (ONE.measure({"seed": 0, "kind": kind, "depth": 40, "steps": 60}) for kind in ("plain", "residual"))
    assert plain["train_loss"] > 2 * residual["train_loss"]


def test_with_one_depth_there_is_nothing_to_compare():
    assert ONE.checks(Rows(HEALTHY[:1])) == []
