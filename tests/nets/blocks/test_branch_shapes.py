"""Shapes of outputs without running a module on numbers."""

import pytest
import torch
from torch import nn

from kazami.nets.blocks.branch_shapes import shapes_at_the_ends


@pytest.mark.parametrize(
    ("module", "change"),
    [
        (nn.Linear(8, 16), (8, 16)),
        (nn.Sequential(nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3)), (8, 3)),
        (nn.LSTM(5, 7, batch_first=True), (5, 7)),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (8, 8)),
    ],
)
def test_features_are_known_from_the_layers(module, change):
    before, after = shapes_at_the_ends(module)
    assert (before[-1], after[-1]) == change


def test_strides_are_told_apart():
    before, after = shapes_at_the_ends(nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.MaxPool2d(2)))
    assert [before[1:], after[1:]] == [(3, 64, 64), (4, 16, 16)]


def test_numbers_are_used_where_the_meta_device_does_not_do():
    class ByValue(nn.Module):
        def forward(self, x):
            return x.repeat(1, int(x.max()))

    assert shapes_at_the_ends(ByValue()) is None
    assert shapes_at_the_ends(ByValue(), torch.full((2, 3), 2.0)) == ((2, 3), (2, 6))
