"""Which shapes a shortcut can join, read as channels and places."""

import pytest
import torch
from torch import nn

from kazami.nets.blocks.shortcuts import ends, refusal


@pytest.mark.parametrize(
    ("before", "after", "module", "channel", "strides"),
    [
        ((2, 3, 32, 32), (2, 8, 16, 16), nn.Conv2d(3, 8, 3, 2, 1), 1, (2, 2)),
        ((3, 32, 32), (8, 16, 16), nn.Conv2d(3, 8, 3, 2, 1), 0, (2, 2)),  # one example without a batch
        ((2, 3, 9), (2, 8, 3), nn.Conv1d(3, 8, 3, 3, 1), 1, (3,)),
        ((2, 3, 4, 8, 8), (2, 5, 4, 4, 4), nn.Conv3d(3, 5, 3, (1, 2, 2), 1), 1, (1, 2, 2)),
        ((2, 5, 8), (2, 5, 16), nn.Linear(8, 16), 2, ()),
        ((2, 8, 6, 6), (2, 16, 6, 6), nn.Identity(), 1, (1, 1)),  # channels, as no layer says so, from what changes
        ((2, 8, 6), (2, 8, 12), nn.Identity(), 2, ()),
        ((2, 7, 8), (2, 7, 16), nn.Sequential(nn.Conv1d(8, 8, 1), nn.Linear(8, 16)), 2, ()),  # a convolution inside, but features change
    ],
)
def test_channels_and_strides_are_found(before, after, module, channel, strides):
    found = ends(before, after, module)
    assert (found.channel_dimension, found.strides, found.misfit) == (channel, strides, "")


def test_a_declared_stride_wins_where_several_would_do():
    assert ends((2, 3, 5, 5), (2, 3, 2, 2), nn.Conv2d(3, 3, 4, stride=4, padding=2)).strides == (4, 4)
    assert ends((2, 3, 5, 5), (2, 3, 2, 2), nn.Conv2d(3, 3, 3, stride=1)).strides == (3, 3)


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [1, 2, 7, 12, 33])
def test_every_stride_of_a_padded_convolution_is_joined(stride, size):
    module = nn.Conv1d(2, 4, 3, stride, 1)
    x = torch.randn(1, 2, size)
    found = ends(x.shape, module(x).shape, module)
    assert refusal("projection", found) == refusal("zero_pad", found) == ""


def test_what_is_no_stride_says_so():
    assert "62 is not 64 divided by a whole stride" in refusal("projection", ends((2, 3, 64), (2, 3, 62), nn.Conv1d(3, 3, 3)))
    assert "more changes than the last dimension" in refusal("projection", ends((2, 5, 8), (2, 4, 9), nn.Linear(8, 9)))
