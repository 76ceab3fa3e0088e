"""Signals and gradients through depth, against mean-field theory and closed forms."""

import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kazami.errors import UsageError
from kazami.nets.blocks.perceptron import mlp
from kazami.nets.blocks.residual import Residual
from kazami.nets.starts.depth_variance import variance_through_depth
from kazami.nets.starts.initialisation import initialise
from kazami.nets.starts.mean_field import mean_field

WIDTH, DEPTH, SEEDS = 256, 40, 3


def slopes(activation, weight_variance: float) -> list[float]:
    """Return the slope of the log mean squared gradient over depth, one for each seed."""
    found = []
    for seed in range(SEEDS):
        model = mlp([WIDTH] * (DEPTH + 1), activation=activation, initialisation=f"normal:{math.sqrt(weight_variance / WIDTH)}", seed=seed)
        found.append(variance_through_depth(model, torch.randn(64, WIDTH, generator=torch.Generator().manual_seed(seed))).gradient_slope)
    return found


@pytest.mark.parametrize(("activation", "weight_variance", "expected"), [(nn.ReLU, 2.0, 0.0), (nn.ReLU, 1.0, math.log(0.5)), (nn.Sigmoid, 1.0, -2.893)])
def test_gradients_change_by_the_measured_truths(activation, weight_variance, expected):
    assert np.mean(slopes(activation, weight_variance)) == pytest.approx(expected, abs=0.03)


def test_and_by_what_mean_field_theory_says():
    assert np.mean(slopes(nn.Tanh, 3.0)) == pytest.approx(math.log(mean_field(nn.Tanh, 3.0).chi), abs=0.03)


def test_forward_variance_of_a_linear_layer_is_the_closed_form():
    layer = nn.Linear(50, 60)
    x = torch.randn(200, 50, generator=torch.Generator().manual_seed(0))
    (measured,) = variance_through_depth(layer, x).layers
    expected = (x.double().numpy() @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()).var()
    assert measured.variance == pytest.approx(expected, rel=1e-5)
    assert measured.gradient_variance == pytest.approx(1, abs=3 * math.sqrt(2 / (200 * 60)))  # v itself


class PreActivation(nn.Sequential):
    """ReLU, then a layer with He's weights: its output has exactly the input's variance, and no correlation with it."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.ReLU(), nn.Linear(width, width, bias=False))
        nn.init.kaiming_normal_(self[1].weight, nonlinearity="relu")


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 2.0**16), ("1/sqrt(L)", (1 + 1 / 16) ** 16)])
def test_residual_variance_doubles_or_stays_below_e(scale, expected):
    ratios = []
    for seed in range(4):
        torch.manual_seed(seed)
        model = nn.Sequential(*[Residual(PreActivation(512), scale=scale, depth=16) for _ in range(16)])
        x = torch.randn(64, 512)
        with torch.no_grad():
            ratios.append(math.log((model(x).var() / x.var()).item()))
    assert np.mean(ratios) / 16 == pytest.approx(math.log(expected) / 16, abs=0.015)  # per block


def test_every_call_is_listed_and_functions_in_place_do_no_harm():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x, *, times):
            for _ in range(times):
                x = F.relu_(self.layer(x))
            return {"answer": x, "none": None}

    measured = variance_through_depth(Twice(), torch.randn(8, 4), keywords={"times": 3})
    assert [layer.name for layer in measured.layers] == ["layer", "layer@2", "layer@3"]
    assert all(math.isfinite(layer.gradient_variance) for layer in measured.layers)
    assert measured.to_dict()["layers"][0]["kind"] == "Linear"


def test_frozen_weights_tokens_and_unused_layers():
    torch.manual_seed(0)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.rnn, self.head, self.aside = nn.Embedding(9, 8), nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 3), nn.Linear(8, 3)

        def forward(self, tokens):
            hidden, _ = self.rnn(self.words(tokens))
            self.aside(hidden.detach())
            return self.head(hidden)

    model = Net().requires_grad_(False)
    layers = {layer.name: layer for layer in variance_through_depth(model, torch.randint(9, (4, 5))).layers}
    assert list(layers) == ["rnn", "aside", "head"]
    assert layers["rnn"].gradient_variance > 0
    assert math.isnan(layers["aside"].gradient_variance)


def test_the_model_is_not_disturbed():
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.ReLU(inplace=True), nn.Linear(6, 2))
    model(torch.randn(8, 4)).sum().backward()
    state, gradients = copy.deepcopy(model.state_dict()), [parameter.grad.clone() for parameter in model.parameters()]
    generator = torch.get_rng_state()
    first = variance_through_depth(model, torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))
    assert first == variance_through_depth(model, torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(parameter.grad, gradient) for parameter, gradient in zip(model.parameters(), gradients, strict=True))
    assert model.training
    assert all(not module._forward_hooks for module in model.modules())


def test_a_model_without_layers_says_so():
    with pytest.raises(UsageError, match="no layer with weights"):
        variance_through_depth(nn.Tanh(), torch.ones(2, 2))


def test_he_keeps_signals_and_gradients_of_a_residual_network_too():
    model = initialise(nn.Sequential(nn.Linear(64, 64), *[Residual(nn.Linear(64, 64), scale="rezero") for _ in range(10)]), "he", seed=0)
    measured = variance_through_depth(model, torch.randn(256, 64, generator=torch.Generator().manual_seed(0)))
    assert len(measured.layers) == 11
    assert measured.layers[1].gradient_variance == 0  # a branch scaled by 0 gets no gradient yet
