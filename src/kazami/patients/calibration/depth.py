"""Gradients that fade or grow on their way back, over depth and over time."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _deep_sigmoid(activation: blocks.Activation = nn.Sigmoid) -> Training:
    d = data.digits()
    return Training(
        model=lambda: blocks.mlp([64, *[48] * 8, 10], activation),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=1),
        steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _thin_relu_tower(blocks_of_two: int = 12, *, residual: bool = False) -> Training:
    d = data.spirals()

    class Tower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(2, 32)
            self.pairs = nn.ModuleList(nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32)) for _ in range(blocks_of_two))
            self.last = nn.Linear(32, 2)

        def forward(self, x: Tensor) -> Tensor:
            h = torch.relu(self.first(x))
            for pair in self.pairs:
                h = torch.relu(h + pair(h)) if residual else torch.relu(pair(h))
            logits: Tensor = self.last(h)
            return logits

    return Training(
        model=Tower,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 50, seed=2),
        steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
        seed=5,
    )


def _long_memory(phi: Callable[[Tensor], Tensor] = torch.sigmoid) -> Training:
    """A recurrent cell written by hand; with sigmoids each of 20 time steps shrinks the gradient at least fourfold."""
    d = data.first_symbol(length=20)

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.Linear(4 + 32, 32)
            self.head = nn.Linear(32, 4)
            nn.init.orthogonal_(self.cell.weight.data[:, 4:])

        def forward(self, x: Tensor) -> Tensor:
            h = x.new_zeros(len(x), 32)
            for symbol in x.unbind(1):
                h = phi(self.cell(torch.cat([symbol, h], 1)))
            z: Tensor = self.head(h)
            return z

    return Training(
        model=Reader,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 50, seed=3),
        steps=450,
        evaluate=data.accuracy(d.x, d.y),
    )


def _unscaled_residuals(scale: float = 1.0) -> Training:
    d = data.digits()

    def model() -> nn.Module:
        def block() -> nn.Module:
            return blocks.Residual(nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32)), scale=scale)

        network = nn.Sequential(nn.Linear(64, 32), *(block() for _ in range(24)), nn.Linear(32, 10))
        return blocks.initialise(network, nn.init.kaiming_normal_)

    return Training(
        model=model,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.02),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=4),
        steps=150,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _exploding_over_time(clip: float | None = None) -> Training:
    d = data.bit_sums(length=40)

    class ReluRnn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.read = nn.Linear(1, 24)
            self.again = nn.Linear(24, 24, bias=False)
            self.out = nn.Linear(24, 1)
            nn.init.orthogonal_(self.again.weight)
            self.again.weight.data.mul_(1.3)

        def forward(self, x: Tensor) -> Tensor:
            h = x.new_zeros(len(x), 24)
            for step in x.unbind(1):
                h = F.relu(self.read(step) + self.again(h))
            y: Tensor = self.out(h)
            return y

    return Training(
        model=ReluRnn,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 50, seed=5),
        steps=300,
        clip_grad_norm=clip,
        evaluate=data.r2(d.x, d.y),
    )


PATIENTS = (
    Patient(
        name="deep_sigmoid_on_digits",
        label="vanishing_gradient",
        family="mlp",
        task="classification",
        training=_deep_sigmoid,
        healed=partial(_deep_sigmoid, nn.ReLU),
        good=0.85,
        also_true=frozenset({"bad_init_scale", "saturated"}),
    ),
    Patient(
        name="plain_relu_tower",
        label="vanishing_gradient",
        family="mlp",
        task="classification",
        training=_thin_relu_tower,
        healed=partial(_thin_relu_tower, residual=True),
        good=0.9,
        also_true=frozenset({"bad_init_scale"}),
    ),
    Patient(
        name="sigmoid_rnn_forgets_the_first_symbol",
        label="vanishing_gradient",
        family="rnn",
        task="classification",
        training=_long_memory,
        healed=partial(_long_memory, torch.tanh),
        good=0.6,
    ),
    Patient(
        name="residuals_without_scale",
        label="exploding_gradient",
        family="mlp",
        task="classification",
        training=_unscaled_residuals,
        healed=partial(_unscaled_residuals, 24**-0.5),
        good=0.8,
        also_true=frozenset({"bad_init_scale", "nan_inf"}),
    ),
    Patient(
        name="relu_rnn_explodes_over_time",
        label="exploding_gradient",
        family="rnn",
        task="regression",
        training=_exploding_over_time,
        healed=partial(_exploding_over_time, 0.5),
        good=0.4,
        also_true=frozenset({"bad_init_scale", "nan_inf"}),
    ),
)
