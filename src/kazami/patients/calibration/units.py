"""Hidden units that are silent, stuck, all alike, badly scaled at birth, or merely linear."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _born_dead(bias: float = -6.0) -> Training:
    d = data.digits()

    def model() -> nn.Module:
        network = blocks.mlp([64, 64, 64, 10])
        for layer in (network[0], network[2]):
            nn.init.constant_(layer.bias, bias)  # type: ignore[arg-type]
        return network

    return Training(
        model=model,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 50, seed=51),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _dead_feature_maps(activation: blocks.Activation = nn.ReLU) -> Training:
    """A convolution whose bias a bad checkpoint left at -4."""
    d = data.digit_images()

    def model() -> nn.Module:
        network = blocks.SmallCnn(8, activation=activation)
        with torch.no_grad():
            assert network.conv2.bias is not None
            network.conv2.bias.fill_(-4.0)
        return network

    return Training(
        model=model,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 64, seed=52),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _with_init(
    how: Callable[[Tensor], object], *, activation: blocks.Activation = nn.Tanh, rate: float = 0.05, hidden: int = 4, momentum: float = 0.9
) -> Training:
    """A deep network on digits whose initialisation is the question."""
    d = data.digits()
    return Training(
        model=lambda: blocks.initialise(blocks.mlp([64, *[64] * hidden, 10], activation), how),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=rate, momentum=momentum),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 32, seed=53),
        steps=250,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _drawn_from_rand(low: float = 0.0) -> Training:
    """Weights from ``torch.rand``: all positive, like the pixels, so that every sigmoid is on for every digit."""
    d = data.digits(scale="unit")

    class Sigmoids(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w1 = nn.Parameter(low + (1.0 - low) * torch.rand(64, 40))
            self.b1 = nn.Parameter(torch.zeros(40))
            self.w2 = nn.Parameter(low + (1.0 - low) * torch.rand(40, 10))
            self.b2 = nn.Parameter(torch.zeros(10))

        def forward(self, x: Tensor) -> Tensor:
            return torch.sigmoid(x @ self.w1 + self.b1) @ self.w2 + self.b2

    return Training(
        model=Sigmoids,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.5),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 32, seed=54),
        steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _tiny_filters(std: float = 1e-4) -> Training:
    d = data.digit_images()

    def model() -> nn.Module:
        how = partial(nn.init.normal_, std=std) if std < 0.01 else nn.init.kaiming_normal_
        return blocks.initialise(blocks.SmallCnn(8), how)

    return Training(
        model=model,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.03, momentum=0.9),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=55),
        steps=150,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _all_alike(how: Callable[[Tensor], object]) -> Training:
    d = data.spirals(turns=1.0)
    return Training(
        model=lambda: blocks.initialise(blocks.mlp([2, 32, 32, 2], nn.Tanh), how),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.01),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 50, seed=56),
        steps=400,
        evaluate=data.accuracy(d.x, d.y),
    )


def _deep_but_linear(activation: blocks.Activation = nn.Identity) -> Training:
    d = data.circles()
    return Training(
        model=lambda: blocks.mlp([2, 32, 32, 32, 2], activation),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 25, seed=57),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _linear_regressor(phi: Callable[[Tensor], Tensor] = lambda h: h) -> Training:
    d = data.sines(periods=2.0, noise=0.1)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(1, 48), nn.Linear(48, 48), nn.Linear(48, 1)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.c(phi(self.b(phi(self.a(x)))))
            return y

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9),
        loss=lambda output, target: (output - target).square().mean(),
        batches=data.minibatches(d.x, d.y, 20, seed=58),
        steps=600,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _classifier(name: str, label: str, ill: Callable[[], Training], healed: Callable[[], Training], good: float, *also: str, family: str = "mlp") -> Patient:
    return Patient(name=name, label=label, family=family, task="classification", training=ill, healed=healed, good=good, also_true=frozenset(also))


_large = partial(nn.init.normal_, std=1.0)
_small = partial(nn.init.normal_, std=0.005)
_constant = partial(nn.init.constant_, val=0.1)

PATIENTS = (
    _classifier("born_dead", "dead_units", _born_dead, partial(_born_dead, 0.0), 0.85),
    _classifier("dead_feature_maps", "dead_units", _dead_feature_maps, partial(_dead_feature_maps, nn.LeakyReLU), 0.85, family="cnn"),
    _classifier(
        "tanh_drawn_from_a_unit_normal",
        "saturated",
        partial(_with_init, _large, rate=0.01, hidden=5),
        partial(_with_init, nn.init.xavier_normal_, rate=0.01, hidden=5),
        0.9,
        "bad_init_scale",
        "exploding_gradient",
    ),
    _classifier("weights_from_rand", "saturated", _drawn_from_rand, partial(_drawn_from_rand, -1.0), 0.85, "bad_init_scale", "saturated_but_moving"),
    _classifier("tanh_born_too_small", "bad_init_scale", partial(_with_init, _small), partial(_with_init, nn.init.xavier_uniform_), 0.9, "vanishing_gradient"),
    _classifier(
        "relu_born_too_large",
        "bad_init_scale",
        partial(_with_init, _large, activation=nn.ReLU, rate=0.01, momentum=0.0),
        partial(_with_init, nn.init.kaiming_normal_, activation=nn.ReLU, rate=0.01, momentum=0.0),
        0.8,
        "exploding_gradient",
        "lr_too_high",
        "nan_inf",
    ),
    _classifier("tiny_filters", "bad_init_scale", _tiny_filters, partial(_tiny_filters, 1.0), 0.85, "vanishing_gradient", "dead_units", family="cnn"),
    _classifier("all_weights_alike", "symmetric_units", partial(_all_alike, _constant), partial(_all_alike, nn.init.xavier_normal_), 0.85),
    _classifier(
        "all_weights_zero",
        "symmetric_units",
        partial(_with_init, nn.init.zeros_, activation=nn.ReLU, hidden=2),
        partial(_with_init, nn.init.kaiming_uniform_, activation=nn.ReLU, hidden=2),
        0.9,
        "dead_units",
        "vanishing_gradient",
        "bad_init_scale",
    ),
    _classifier("deep_but_linear", "no_nonlinearity", _deep_but_linear, partial(_deep_but_linear, nn.ReLU), 0.9),
    Patient(
        name="linear_regressor_of_a_wave",
        label="no_nonlinearity",
        family="mlp",
        task="regression",
        training=_linear_regressor,
        healed=partial(_linear_regressor, torch.tanh),
        good=0.8,
    ),
)
