"""A layer is φ(XW + b), with W in row form."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets.blocks.dense import Dense


def test_it_is_the_formula():
    layer = Dense(3, 4, activation=nn.Sigmoid, seed=0).double()
    x = np.random.default_rng(0).normal(size=(5, 3))
    expected = 1 / (1 + np.exp(-(x @ layer.W.detach().numpy() + layer.b.detach().numpy())))
    assert np.abs(layer(torch.tensor(x)).detach().numpy() - expected).max() < 1e-12


def test_w_is_a_view_and_b_may_be_missing():
    layer = Dense(2, 3, activation=torch.tanh, bias=False, seed=0)
    assert layer.W.data_ptr() == layer.linear.weight.data_ptr()
    assert layer.b.tolist() == [0.0, 0.0, 0.0]


def test_a_gate_gets_twice_as_many_sums():
    layer = Dense(3, 4, activation=nn.GLU)
    assert layer.W.shape == (3, 8)
    assert layer(torch.ones(2, 3)).shape == (2, 4)


def test_an_empty_layer_is_refused():
    with pytest.raises(UsageError, match="1 input and 1 neuron"):
        Dense(3, 0, activation=torch.tanh)
