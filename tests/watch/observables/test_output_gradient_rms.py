"""The mean over the uses of a weight, without those that backward did not reach."""

import math

import torch

from kazami.watch.observables.output_gradient_rms import OutputGradientRms
from tests.watch.observables.sights import made


def test_the_mean_over_uses():
    assert OutputGradientRms().measure(made(torch.ones(2, 2), output_gradients=[1.0, math.nan, 3.0])) == 2.0
    assert math.isnan(OutputGradientRms().measure(made(torch.ones(2, 2), output_gradients=[math.nan])))
