"""Concatenation along features and channels."""

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets.blocks.dense_block import DenseBlock


def test_channels_grow_as_in_a_densenet():
    growth, convolutions = 4, [nn.Conv2d(3 + 4 * k, 4, 3, padding=1) for k in range(3)]
    block = DenseBlock(*convolutions)
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    y = block(x)
    assert y.shape == (2, 3 + 3 * growth, 8, 8)
    first = torch.cat([x, convolutions[0](x)], dim=1)
    assert torch.equal(y[:, :7], first)
    assert torch.equal(y[:, 7:11], convolutions[1](first))


def test_features_of_sequences_are_the_last_dimension():
    assert DenseBlock(nn.Linear(4, 2))(torch.ones(2, 5, 4)).shape == (2, 5, 6)


def test_further_arguments_go_to_each_module():
    class Scaled(nn.Module):
        def forward(self, x, factor, *, shift):
            return factor * x[:, :1] + shift

    assert DenseBlock(Scaled())(torch.ones(1, 2), 3.0, shift=1.0).tolist() == [[1.0, 1.0, 4.0]]


def test_sizes_that_do_not_join_are_refused():
    with pytest.raises(UsageError, match=r"\[2, 3, 8, 8\] and \[2, 4, 4, 4\] cannot be joined"):
        DenseBlock(nn.Conv2d(3, 4, 3, stride=2, padding=1))(torch.ones(2, 3, 8, 8))
    with pytest.raises(UsageError, match="one module or more"):
        DenseBlock()
