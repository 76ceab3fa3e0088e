"""The identity among other activations."""

import pytest
import torch

from kazami.lab import experiment
from kazami.lab.experiments.activation_mixtures import best_line
from kazami.lab.outcome import Rows
from kazami.patients.data import Data, circles

ONE = experiment("activation-mixtures")


def plane(points, classes):
    """Return a data set of points in the plane."""
    x, y = torch.tensor(points), torch.tensor(classes)
    return Data(x, y, x, y)


def test_the_best_line():
    assert best_line(plane([[0.0, 0.0], [1.0, 1.0]], [1, 0])) == 1.0
    assert best_line(plane([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]], [0, 0, 1, 1])) == 0.75  # exclusive or
    assert 0.5 < best_line(circles()) < 0.8


def test_identities_are_a_line_and_one_relu_is_enough():
    identities, mixed = (ONE.measure({"seed": 0, "mixture": mixture}) for mixture in ("III", "IRI"))
    assert identities["accuracy"] <= best_line(circles()) < mixed["accuracy"]
    assert (identities["nonlinear"], mixed["nonlinear"]) == (0, 1)


@pytest.mark.parametrize(("mixture", "accuracy"), [("III", 0.99), ("IRI", 0.5)])
def test_what_does_not_hold_would_be_seen(mixture, accuracy):
    rows = [{"seed": 0, "mixture": mixture, "accuracy": accuracy, "nonlinear": 3 - mixture.count("I")}]
    assert [check.passed for check in ONE.checks(Rows(rows)) if check.measured == accuracy] == [False]
