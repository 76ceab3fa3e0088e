"""Hidden signals are normalised afterwards, under the old parameter names and some new ones."""

import pytest
import torch
from torch import nn

from kazami.cures.norm_layers import NormLayers
from kazami.records import Layer
from tests.cures.cases import finding, mlp, prescribed, trace


@pytest.mark.parametrize("depth", [2, 3, 9])
def test_hidden_signals_are_normalised_afterwards(depth):
    sizes = [8, *[32] * (depth - 1), 4]
    model = nn.Sequential(*[m for i in range(depth) for m in (nn.Linear(sizes[i], sizes[i + 1]), nn.Sigmoid())])
    names = set(model.state_dict())
    exec(prescribed(NormLayers(), finding("saturated", place="0"), trace(layers=mlp("sigmoid", depth))).code, {"model": model, "nn": nn})
    assert names < set(model.state_dict())
    hidden = model[0](torch.randn(16, 8) * 100)
    torch.testing.assert_close(hidden.mean(-1), torch.zeros(16), atol=1e-4, rtol=0)
    model(torch.randn(16, 8))


def test_convolutions_get_batch_normalisation_of_their_dimension():
    layers = (Layer("0", "conv", (16, 3, 3, 3), 27, 16, "relu"), Layer("1", "linear", (4, 16), 16, 4, is_output=True))
    assert "model[0].norm = nn.BatchNorm2d(16)" in prescribed(NormLayers(), finding("dead_units", place="0"), trace(layers=layers)).code


def test_normalised_networks_are_left_alone():
    assert NormLayers().prescribe(finding("saturated", place="0"), trace(layers=(*mlp(), Layer("n", "norm", (32,), 1, 32)))) is None
