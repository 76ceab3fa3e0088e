"""The mean slope of a squashing activation, exact on known points."""

import math

import pytest
import torch
from torch.nn import functional as F

from kazami.watch.observables.slope_share import SlopeShare
from tests.watch.observables.sights import followed_by


@pytest.mark.parametrize(
    ("activation", "signal", "expected"),
    [
        (torch.sigmoid, [[0.0, math.log(3)]], (1 + 0.75) / 2),
        (torch.tanh, [[0.0, math.atanh(0.5)]], (1 + 0.75) / 2),
        (F.hardtanh, [[0.0, 0.9, 1.1, -5.0]], 0.5),
        (lambda z: F.hardtanh(z, -6.0, 6.0), [[0.0, 0.9, 1.1, -5.0]], 1.0),
        (F.hardsigmoid, [[0.0, 2.9, 3.1, -5.0]], 0.5),
    ],
)
def test_known_slopes(activation, signal, expected):
    assert SlopeShare().measure(followed_by(activation, signal)[0]) == pytest.approx(expected, rel=1e-6)


def test_other_activations_have_none():
    assert math.isnan(SlopeShare().measure(followed_by(torch.relu, [[1.0]])[0]))
