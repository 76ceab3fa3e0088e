"""The step beside the weights."""

import math

import torch

from kazami.watch.observables.update_ratio import UpdateRatio
from tests.watch.observables.sights import made


def test_the_ratio():
    assert UpdateRatio().measure(made(torch.ones(2, 2), update_norm=0.5, before_norm=2.0)) == 0.25
    assert math.isnan(UpdateRatio().measure(made(torch.zeros(2, 2), update_norm=0.5, before_norm=0.0)))
