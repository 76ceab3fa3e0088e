"""Layers are found in order, with the right kind, sizes, activation and uses, however the forward pass is written."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.seeing import layers, of_model, trained


def row(layer):
    return layer.name, layer.kind, layer.fan_in, layer.fan_out, layer.activation, layer.is_output


def test_a_network_of_modules():
    model = nn.Sequential(nn.Linear(5, 7), nn.Sigmoid(), nn.Linear(7, 4), nn.Tanh(), nn.Linear(4, 3))
    trace = of_model(model, lambda z: F.cross_entropy(z, torch.tensor([0, 1, 2, 0])), torch.randn(4, 5))
    assert [row(layer) for layer in trace.layers] == [
        ("0", "linear", 5, 7, "sigmoid", False),
        ("2", "linear", 7, 4, "tanh", False),
        ("4", "linear", 4, 3, "identity", True),
    ]
    assert [layer.shape for layer in trace.layers] == [(7, 5), (4, 7), (3, 4)]
    assert trace.loss_kind == "cross_entropy"


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        (torch.relu, "relu"),
        (F.leaky_relu, "leaky_relu"),
        (F.elu, "elu"),
        (F.gelu, "gelu"),
        (F.silu, "silu"),
        (torch.sigmoid, "sigmoid"),
        (torch.tanh, "tanh"),
        (F.softplus, "softplus"),
        (F.hardtanh, "hardtanh"),
        (F.hardsigmoid, "hardsigmoid"),
        (F.hardswish, "hardswish"),
        (F.mish, "mish"),
        (F.logsigmoid, "log_sigmoid"),
        (torch.sin, "sin"),
        (lambda z: torch.softmax(z, -1), "softmax"),
        (lambda z: z.clamp(min=0), "relu"),
        (lambda z: torch.maximum(z, torch.zeros(())), "relu"),
        (F.relu_, "relu"),
        (lambda z: z, "identity"),
        (lambda z: z.abs(), "abs"),
        (lambda z: F.relu6(z), "hardtanh"),
    ],
)
def test_functional_activations(activation, name):
    first, last = nn.Linear(5, 7), nn.Linear(7, 1)
    model = nn.ModuleList([first, last])
    trace = trained(lambda: last(activation(first(torch.randn(6, 5)))).mean(), model.parameters(), [model])
    assert [row(layer) for layer in trace.layers] == [("0", "linear", 5, 7, name, False), ("1", "linear", 7, 1, "identity", True)]


def test_a_convolutional_network():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)
    )
    trace = of_model(model, lambda z: F.cross_entropy(z, torch.tensor([0, 1, 2, 3])), torch.randn(4, 3, 14, 14))
    found = [layer for layer in trace.layers if layer.kind != "norm"]
    assert [row(layer) for layer in found] == [
        ("0", "conv", 27, 8, "relu", False),
        ("4", "conv", 72, 4, "relu", False),
        ("7", "linear", 64, 5, "identity", True),
    ]
    assert [layer.name for layer in trace.layers] == ["0", "1", "4", "7"]


@pytest.mark.parametrize(("cell", "gates"), [(nn.RNN, 1), (nn.GRU, 3)])
def test_a_recurrent_net_is_seen_over_time(cell, gates):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = cell(3, 6, batch_first=True), nn.Linear(6, 2)

        def forward(self, x):
            return self.head(self.body(x)[0][:, -1])

    trace = of_model(Net(), lambda z: F.cross_entropy(z, torch.tensor([0, 1, 0, 1])), torch.randn(4, 9, 3))
    found = layers(trace)
    assert found["body.weight_hh_l0"].kind == "recurrent"
    assert found["body.weight_hh_l0"].n_uses == 9
    assert (found["body.weight_hh_l0"].fan_in, found["body.weight_hh_l0"].fan_out) == (6, 6 * gates)
    assert found["head"].is_output
    assert not found["body.weight_hh_l0"].is_output


def test_of_a_fused_lstm_the_weights_are_seen():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.LSTM(3, 6, batch_first=True), nn.Linear(6, 2)

        def forward(self, x):
            return self.head(self.body(x)[0][:, -1])

    found = layers(of_model(Net(), lambda z: F.cross_entropy(z, torch.tensor([0, 1, 0, 1])), torch.randn(4, 9, 3)))
    assert {"body.weight_ih_l0", "body.weight_hh_l0", "head"} <= found.keys()
    assert found["body.weight_hh_l0"].kind == "recurrent"
    assert found["head"].is_output


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("size", [1e-3, 300.0])
def test_of_a_recurrent_net_the_scale_of_its_inputs_is_seen(kind, size):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = kind(3, 6, batch_first=True), nn.Linear(6, 2)

        def forward(self, x):
            return self.head(self.body(x)[0][:, -1])

    data = size * torch.randn(4, 9, 3, generator=torch.Generator().manual_seed(0))
    fact = of_model(Net(), lambda z: F.cross_entropy(z, torch.tensor([0, 1, 0, 1])), data).facts["input"]
    assert fact["layer"] == "body.weight_ih_l0"
    assert fact["rms"] == pytest.approx(float(data.square().mean().sqrt()))


def test_a_transformer():
    block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    model = nn.Sequential(nn.Embedding(11, 8), nn.TransformerEncoder(block, 2, enable_nested_tensor=False), nn.Flatten(), nn.Linear(40, 3))
    trace = of_model(model, lambda z: F.cross_entropy(z, torch.tensor([0, 1, 2, 0])), torch.arange(20).reshape(4, 5) % 11)
    found = layers(trace)
    assert found["0"].kind == "embedding"
    assert found["1.layers.0.linear1"].activation == "relu"
    assert (found["1.layers.0.linear1"].fan_in, found["1.layers.0.linear1"].fan_out) == (8, 16)
    assert found["1.layers.0.linear2"].is_residual
    assert found["1.layers.1.norm2"].kind == "norm"
    assert found["3"].is_output
    assert [layer.name for layer in trace.layers if layer.is_output] == ["3"]


@pytest.mark.parametrize("scale", ["none", "number", "parameter"])
def test_a_residual_net(scale):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 6)
            self.scale = nn.Parameter(torch.tensor(0.3)) if scale == "parameter" else 0.5

        def forward(self, x):
            branch = self.b(F.relu(self.a(x)))
            return x + (branch if scale == "none" else self.scale * branch)

    model = nn.Sequential(nn.Linear(4, 6), Block(), Block(), nn.Linear(6, 2))
    found = layers(of_model(model, lambda z: F.cross_entropy(z, torch.tensor([0, 1, 0])), torch.randn(3, 4)))
    assert {name for name, layer in found.items() if layer.is_residual} == {"1.b", "2.b"}
    assert list(found) == ["0", "1.a", "1.b", "2.a", "2.b", "3"]


def test_a_weight_tied_autoencoder():
    weight, bias = nn.Parameter(torch.randn(4, 6)), nn.Parameter(torch.zeros(6))
    x = torch.randn(9, 6)
    trace = trained(lambda: F.mse_loss(torch.tanh(x @ weight.t()) @ weight + bias, x), [weight, bias])
    (layer,) = trace.layers
    assert (layer.n_uses, layer.kind, layer.shape) == (2, "linear", (4, 6))


def test_bare_tensors():
    w, b, v = (torch.randn(5, 7) * 0.5).requires_grad_(), torch.zeros(7, requires_grad=True), torch.randn(7, 3).requires_grad_()
    x = torch.randn(8, 5)
    trace = trained(lambda: F.cross_entropy(torch.relu(x @ w + b) @ v, torch.arange(8) % 3), [w, b, v])
    assert [row(layer) for layer in trace.layers] == [
        ("tensor 5×7", "linear", 5, 7, "relu", False),
        ("tensor 7×3", "linear", 7, 3, "identity", True),
    ]


def test_a_linear_layer_on_sequences():
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    trace = of_model(model, lambda z: z.square().mean(), torch.randn(4, 6, 5))
    assert [row(layer) for layer in trace.layers] == [("0", "linear", 5, 7, "relu", False), ("2", "linear", 7, 3, "identity", True)]


def test_autocast_hides_nothing():
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    x, y = torch.randn(4, 5), torch.tensor([0, 1, 2, 0])

    def forward():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return F.cross_entropy(model(x), y)

    trace = trained(forward, model.parameters(), [model])
    assert [row(layer) for layer in trace.layers] == [("0", "linear", 5, 7, "relu", False), ("2", "linear", 7, 3, "identity", True)]


def test_a_frozen_layer_is_seen_as_frozen():
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 6), nn.ReLU(), nn.Linear(6, 3))
    model[2].requires_grad_(False)
    trace = of_model(model, lambda z: z.square().mean(), torch.randn(4, 5))
    assert list(layers(trace)) == ["0", "2", "4"]
    assert trace.facts["frozen"] == {"2": 42}
    assert trace.facts["requires_no_gradient"] == ["2.weight", "2.bias"]
