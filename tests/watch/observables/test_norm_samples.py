"""Samples times places."""

import math

import pytest
import torch
from torch import nn

from kazami.watch.observables.norm_samples import NormSamples
from tests.watch.observables.norms import passes
from tests.watch.observables.sights import made


@pytest.mark.parametrize(
    ("norm", "shape", "expected"), [(nn.BatchNorm1d(3), (2, 3), 2), (nn.BatchNorm2d(3), (2, 3, 5, 7), 70), (nn.BatchNorm1d(3), (4, 3, 6), 24)]
)
def test_numbers_per_channel(norm, shape, expected):
    for sight in passes(norm, torch.randn(*shape)):
        assert NormSamples().measure(sight) == expected


def test_other_layers_have_none():
    assert math.isnan(NormSamples().measure(made(torch.ones(2, 2))))
