"""Exact zeros in a gradient."""

import math

import torch

from kazami.watch.observables.zero_gradient_share import ZeroGradientShare
from tests.watch.observables.sights import made


def test_exact_zeros_only():
    gradient = torch.tensor([[0.0, 1e-40, -0.0, 1.0]])
    assert ZeroGradientShare().measure(made(torch.ones(1, 4), gradient=gradient)) == 0.5
    assert math.isnan(ZeroGradientShare().measure(made(torch.ones(1, 4))))


def test_a_large_gradient_is_sampled_fairly():
    gradient = torch.ones(1000, 300)
    gradient[::2] = 0
    assert abs(ZeroGradientShare().measure(made(torch.ones(1000, 300), gradient=gradient)) - 0.5) < 0.05
