"""The copy is whole, and the user's model, generators and settings stay as they were."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets.inside.private_copy import private_copy, undisturbed


def test_old_weight_norm_can_be_copied():
    with pytest.warns(FutureWarning):
        layer = nn.utils.weight_norm(nn.Linear(3, 2))
    layer(torch.ones(1, 3))
    x = torch.randn(4, 3)
    assert torch.allclose(private_copy(layer, dtype=torch.float64)(x.double()).float(), layer(x), atol=1e-6)


def test_plain_attributes_are_cast():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.matrix = torch.eye(2)

        def forward(self, x):
            return x @ self.matrix

    assert private_copy(Scaled(), dtype=torch.float64)(torch.ones(1, 2, dtype=torch.float64)).dtype is torch.float64


def test_what_cannot_be_copied_is_refused_by_name():
    layer = nn.Linear(1, 1)
    layer.stream = (number for number in range(3))
    with pytest.raises(UsageError, match="Linear is not"):
        private_copy(layer)


def test_generators_and_settings_stay():
    model = nn.Linear(1, 1)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy(), torch.get_default_dtype()
    with undisturbed(model, torch.float64, 7):
        assert torch.zeros(1).dtype is torch.float64
        first = torch.rand(1), random.random(), np.random.rand()
    with undisturbed(model, torch.float64, 7):
        assert (torch.rand(1), random.random(), np.random.rand()) == first
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2]).all()
    assert torch.get_default_dtype() is before[3]
