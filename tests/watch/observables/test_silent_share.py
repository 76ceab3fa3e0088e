"""Silence is an output of exactly zero."""

import math

import pytest
import torch

from kazami.watch.observables.silent_share import SilentShare
from tests.watch.observables.sights import followed_by


@pytest.mark.parametrize("relu", [torch.relu, torch.relu_, lambda z: z.clamp(min=0), lambda z: torch.maximum(z, torch.zeros(()))])
def test_the_share_of_zeros(relu):
    assert SilentShare().measure(followed_by(relu, [[1.0, -1.0, -2.0, 0.0], [5.0, 5.0, 5.0, 5.0]])[0]) == 3 / 8


def test_other_activations_are_not_silent():
    assert math.isnan(SilentShare().measure(followed_by(torch.tanh, [[0.0]])[0]))
