"""Root-mean-square of what enters a layer."""

import math

import pytest
import torch

from kazami.watch.observables.input_rms import InputRms
from tests.watch.observables.sights import followed_by, made


def test_the_root_mean_square():
    assert InputRms().measure(followed_by(torch.relu, [[3.0, -4.0], [0.0, 5.0]])[0]) == pytest.approx(12.5**0.5)


def test_tokens_have_none():
    assert math.isnan(InputRms().measure(made(torch.ones(2, 2), inputs=torch.arange(4))))
