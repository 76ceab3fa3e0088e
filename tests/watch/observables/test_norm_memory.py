"""The momentum is read from what the running mean did."""

import math

import pytest
import torch
from torch import nn

from kazami.watch.observables.norm_memory import NormMemory
from tests.watch.observables.norms import normal, passes
from tests.watch.observables.sights import made


@pytest.mark.parametrize("momentum", [0.5, 0.1, 1e-4])
def test_the_momentum_that_was_set(momentum):
    batches = [normal(mean=mean) for mean in (1.0, 2.0, -3.0)]
    first, *rest = [NormMemory().measure(sight) for sight in passes(nn.BatchNorm1d(3, momentum=momentum).double(), *batches)]
    assert math.isnan(first)
    assert rest == pytest.approx([momentum] * 2)


def test_other_layers_have_none():
    assert math.isnan(NormMemory().measure(made(torch.ones(2, 2))))
