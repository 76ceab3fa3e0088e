"""The gradient's norm is the Euclidean one."""

import math

import torch

from kazami.watch.observables.gradient_norm import GradientNorm
from tests.watch.observables.sights import made


def test_the_norm_is_given_as_it_was_taken():
    assert GradientNorm().measure(made(torch.ones(2, 2), gradient_norm=5.0)) == 5.0
    assert math.isnan(GradientNorm().measure(made(torch.ones(2, 2))))
