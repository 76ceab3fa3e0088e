"""The other half of `flat_gain`: together they are the whole linear share."""

import math

import numpy as np
import pytest
import torch

from kazami.watch.observables.flat_gain import FlatGain
from kazami.watch.observables.sharp_gain import SharpGain
from tests.watch.observables.sights import made
from tests.watch.observables.test_flat_gain import inputs, looked_at


def test_both_halves_make_the_whole():
    x = inputs(60)
    delta = torch.from_numpy(np.random.default_rng(2).standard_normal((60, 1))) + x[:, [1]]
    fitted = x.numpy() @ np.linalg.lstsq(x.numpy(), delta.numpy(), rcond=None)[0]
    whole = (fitted**2).sum() / float(delta.square().sum()) - 4 / 60
    sight = looked_at(x, delta)
    assert FlatGain().measure(sight) + SharpGain().measure(sight) == pytest.approx(whole, rel=1e-6)


def test_other_layers_have_none():
    assert math.isnan(SharpGain().measure(made(torch.ones(2, 2))))
