"""The variance beside the epsilon it is added to."""

import math

import pytest
import torch
from torch import nn

from kazami.watch.observables.norm_variance import NormVariance
from tests.watch.observables.norms import normal, passes
from tests.watch.observables.sights import made


@pytest.mark.parametrize("std", [1.0, 1e-2, 1e-4])
def test_the_ratio(std):
    for sight in passes(nn.BatchNorm1d(3, eps=1e-5).double(), normal(std=std)):
        assert NormVariance().measure(sight) == pytest.approx(std**2 / 1e-5, rel=1e-6)


def test_dead_channels_do_not_count():
    batch = normal()
    batch[:, :2] = 7.0
    for sight in passes(nn.BatchNorm1d(3).double(), batch):
        assert NormVariance().measure(sight) == pytest.approx(1e5, rel=1e-3)


def test_other_layers_have_none():
    assert math.isnan(NormVariance().measure(made(torch.ones(2, 2))))
