"""Hidden signals are normalised afterwards, under the old parameter names and some new ones."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.norm_layers import NormLayers
from kazami.records import Layer
from tests.cures.cases import finding, mlp, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import LAYERS, STYLES, carried_out, rows, training


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


@pytest.mark.parametrize("style", STYLES)
def test_each_of_these_layers_has_a_normalisation_behind_it(style):
    before, parameters = EXAMPLES["norm_layers"](style)
    state = carried_out(NormLayers(), before, **parameters).start()
    a, b, c = (before.start().model.get_submodule(name) for name in LAYERS[style])
    x = rows(1)[0][0]
    expected = c(torch.sigmoid(F.layer_norm(b(torch.sigmoid(F.layer_norm(a(x), (6,)))), (6,))))
    torch.testing.assert_close(state.model(x), expected)
    assert sum(p.numel() for group in state.optimizer.param_groups for p in group["params"]) == sum(p.numel() for p in state.model.parameters())


def test_bare_parameters_and_convolutions_have_one_too():
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.W1, self.W2 = nn.Parameter(torch.randn(3, 6)), nn.Parameter(torch.randn(6, 1))

        def forward(self, x):
            return torch.tanh(x @ self.W1) @ self.W2

    model = carried_out(NormLayers(), training(Bare), layers=["W1"], widths=[6], norm="LayerNorm").start().model
    x = rows(1)[0][0]
    torch.testing.assert_close(model(x), torch.tanh(F.layer_norm(x @ model.W1, (6,))) @ model.W2)

    filters = training(lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), data=[(torch.rand(4, 1, 6, 6), torch.zeros(4, 4, 4, 4))], evaluate=None)
    made = NormLayers().apply(filters, {"layers": ["0"], "widths": [4], "norm": "BatchNorm2d"})
    assert isinstance(made.start().model[0].kazami_norm_0, nn.BatchNorm2d)
    assert made.run().losses
