"""The norm of the weights is given as it was taken."""

import torch

from kazami.watch.observables.weight_norm import WeightNorm
from tests.watch.observables.sights import made


def test_the_norm():
    assert WeightNorm().measure(made(torch.ones(2, 2), weight_norm=2.0)) == 2.0
