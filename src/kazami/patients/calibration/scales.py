"""Inputs and targets whose scale or offset no default network can bridge."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _raw_cells(scale: data.Scale = "raw") -> Training:
    """Logistic regression on features between 0.001 and 4000."""
    d = data.breast_cancer(scale=scale)

    class Logistic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(30))
            self.bias = nn.Parameter(torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.weight + self.bias

    return Training(
        model=Logistic,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1),
        loss=lambda z, y: F.binary_cross_entropy_with_logits(z, y.float()),
        batches=data.minibatches(d.x, d.y),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _bytes_into_tanh(scale: data.Scale = "raw") -> Training:
    """Pixels 0..255, forgotten to be divided, into tanh units."""
    d = data.digits(scale=scale)
    return Training(
        model=lambda: blocks.mlp([64, 32, 32, 10], nn.Tanh),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 32, seed=21),
        steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _years_as_they_are(offset: float = 2000.0) -> Training:
    """A curve over the years 1999..2001."""
    d = data.sines(periods=1.0).with_inputs(lambda x: x + offset)
    return Training(
        model=lambda: blocks.mlp([1, 32, 32, 1], nn.Tanh),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 50, seed=22),
        steps=300,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _prices(deviation: float = 400.0, mean: float = 8000.0) -> Training:
    """Targets in the thousands, Adam at its usual rate."""
    d = data.friedman().with_targets(lambda y: mean + deviation * y)
    return Training(
        model=lambda: blocks.mlp([10, 48, 48, 1]),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-3),
        loss=nn.MSELoss(),
        batches=data.minibatches(d.x, d.y, 25, seed=23),
        steps=400,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _raw_disease(targets: data.Scale = "raw") -> Training:
    """The diabetes target as it comes, 25..346, and plain SGD."""
    d = data.diabetes(targets=targets)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(10, 24)
            self.b = nn.Linear(24, 1)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.b(F.gelu(self.a(x)))
            return y

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 32, seed=24),
        steps=200,
        evaluate=data.r2(d.x, d.y),
    )


PATIENTS = (
    Patient(
        name="raw_features_into_logistic_regression",
        label="input_scaling",
        family="linear",
        task="classification",
        training=_raw_cells,
        healed=partial(_raw_cells, "standard"),
        good=0.95,
        also_true=frozenset({"lr_too_high", "oscillating_loss"}),
    ),
    Patient(
        name="bytes_into_tanh",
        label="input_scaling",
        family="mlp",
        task="classification",
        training=_bytes_into_tanh,
        healed=partial(_bytes_into_tanh, "standard"),
        good=0.9,
        also_true=frozenset({"saturated"}),
    ),
    Patient(
        name="years_as_they_are",
        label="input_scaling",
        family="mlp",
        task="regression",
        training=_years_as_they_are,
        healed=partial(_years_as_they_are, 0.0),
        good=0.9,
        also_true=frozenset({"saturated"}),
    ),
    Patient(
        name="prices_with_adam",
        label="target_scaling",
        family="mlp",
        task="regression",
        training=_prices,
        healed=partial(_prices, 1.0, 0.0),
        good=0.8,
    ),
    Patient(
        name="raw_disease_with_sgd",
        label="target_scaling",
        family="mlp",
        task="regression",
        training=_raw_disease,
        healed=partial(_raw_disease, "standard"),
        good=0.4,
        also_true=frozenset({"lr_too_high", "exploding_gradient", "nan_inf"}),
    ),
)
