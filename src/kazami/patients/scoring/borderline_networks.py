"""Healthy, but the network looks ill: very deep, squashing, sparse, partly frozen, partly unused, or linear on purpose."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ._sets import (
    Split,
    accuracy,
    answer,
    digits,
    explained,
    friedman,
    images,
    minibatches,
    r_squared,
    rings,
    spirals,
    split,
    standardised,
    table,
    tokens,
    wave,
)


class _Deep(nn.Module):
    """Equal layers in a loop, with an optional normalisation before the activation."""

    def __init__(self, act: Callable[[Tensor], Tensor], *, depth: int, norm: type[nn.Module] | None, gain: float, n_in: int, n_out: int) -> None:
        super().__init__()
        sizes = [n_in] + [48] * depth
        layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(nn.Identity() if norm is None else norm(48) for _ in range(depth))
        self.head = nn.Linear(48, n_out)
        self.act = act
        for layer in layers:
            nn.init.xavier_uniform_(layer.weight, gain=gain)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Any:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = self.act(norm(layer(x)))
        return self.head(x)


def _deep_tanh() -> Training:
    data = standardised(table("wine"))
    return Training(
        model=partial(_Deep, torch.tanh, depth=20, norm=None, gain=5 / 3, n_in=13, n_out=3),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=250,
        evaluate=accuracy(data),
    )


def _deep_sigmoid_normed() -> Training:
    data = digits()
    return Training(
        model=partial(_Deep, torch.sigmoid, depth=8, norm=nn.BatchNorm1d, gain=1.0, n_in=64, n_out=10),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 64),
        steps=400,
        evaluate=accuracy(data),
    )


def _sigmoid_with_gain() -> Training:
    """Six plain sigmoid layers with the gain of four that undoes the sigmoid's slope."""
    data = digits()
    return Training(
        model=partial(_Deep, torch.sigmoid, depth=6, norm=None, gain=4.0, n_in=64, n_out=10),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=400,
        evaluate=accuracy(data),
    )


class _Sparse(nn.Module):
    """A wide hidden layer of which most units are silent for most inputs, and some for all."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Linear(64, 300)
        self.out = nn.Linear(300, 10)
        nn.init.normal_(self.wide.weight, std=0.18)
        nn.init.uniform_(self.wide.bias, -2.5, -0.2)

    def forward(self, x: Tensor) -> Any:
        return self.out(F.relu(self.wide(x)))


def _sparse_relu() -> Training:
    data = digits()
    return Training(
        model=_Sparse,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=300,
        evaluate=accuracy(data),
    )


def _confident_spirals() -> Training:
    """Trained until its tanh units are saturated on most points, and right about all of them."""
    data = spirals(1.0)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(2, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 2)),
        optimizer=lambda m: torch.optim.RMSprop(m.parameters(), lr=5e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 50),
        steps=600,
        evaluate=accuracy(data),
    )


class _Backbone(nn.Module):
    """A frozen backbone of many random filters under a head that learns."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        for parameter in self.backbone.parameters():
            parameter.requires_grad = False
        self.head = nn.Linear(64 * 9, 10)

    def forward(self, x: Tensor) -> Any:
        with torch.no_grad():
            features = self.backbone(x)
        return self.head(features)


def _frozen_backbone() -> Training:
    data = images()
    return Training(
        model=_Backbone,
        optimizer=lambda m: torch.optim.SGD([p for p in m.parameters() if p.requires_grad], lr=0.05, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        evaluate=accuracy(data),
    )


class _Vocabulary(nn.Module):
    """A thousand words of which twelve occur, and a second head that this task does not use."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(1000, 16, padding_idx=0)
        self.body = nn.GRU(16, 24, batch_first=True, bidirectional=True)
        self.topic, self.mood = nn.Linear(48, 3), nn.Linear(48, 5)

    def forward(self, x: Tensor) -> Any:
        return self.topic(self.body(self.embed(x))[0].amax(dim=1))


def _large_vocabulary() -> Training:
    data = tokens()
    return Training(
        model=_Vocabulary,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=4e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=250,
        evaluate=accuracy(data),
    )


def _linear_autoencoder() -> Training:
    """Principal components by gradient descent: linear on purpose."""
    data = digits()
    centred = data._replace(x=data.x - data.x.mean(0), test_x=data.test_x - data.x.mean(0))

    def judge(model: nn.Module) -> float:
        return explained(centred.test_x, answer(model, centred.test_x))

    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 20, bias=False), nn.Linear(20, 64, bias=False)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=nn.MSELoss(),
        batches=minibatches(centred.x, centred.x, 64),
        steps=300,
        evaluate=judge,
    )


class _ZeroStart(nn.Module):
    """Residual branches and head that start at zero, as many recipes do."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(64, 64)
        self.ups = nn.ModuleList(nn.Linear(64, 96) for _ in range(4))
        self.downs = nn.ModuleList(nn.Linear(96, 64) for _ in range(4))
        self.head = nn.Linear(64, 10)
        for layer in (*self.downs, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Any:
        x = self.stem(x)
        for up, down in zip(self.ups, self.downs, strict=True):
            x = x + down(F.gelu(up(x)))
        return self.head(x)


def _zero_start() -> Training:
    data = digits()
    return Training(
        model=_ZeroStart,
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=2e-3),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 48),
        steps=250,
        evaluate=accuracy(data),
    )


def _bounded_on_purpose(last: type[nn.Module], low: float, high: float, criterion: Callable[[Tensor, Tensor], Tensor]) -> Training:
    """A squashing or rectifying last layer whose range holds all targets."""
    data = friedman()
    span = data.y.max() - data.y.min()

    def into(y: Tensor) -> Tensor:
        return (low + (high - low) * (y - data.y.min()) / span).unsqueeze(1)

    fitted = data._replace(y=into(data.y), test_y=into(data.test_y))
    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1), last()),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=criterion,
        batches=minibatches(fitted.x, fitted.y, 40),
        steps=400,
        evaluate=r_squared(fitted),
    )


class _Round(torch.autograd.Function):
    """Rounds to halves going forward, and lets gradients pass straight through."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        del ctx
        return torch.round(x * 2) / 2

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        del ctx
        return grads[0]


class _Quantised(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(2, 40), nn.Linear(40, 2)

    def forward(self, x: Tensor) -> Any:
        return self.b(_Round.apply(F.relu(self.a(x))))  # type: ignore[no-untyped-call]


def _straight_through() -> Training:
    data = rings()
    return Training(
        model=_Quantised,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-2),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 30),
        steps=300,
        evaluate=accuracy(data),
    )


def _iris_in_centimetres() -> Training:
    data = table("iris")
    return Training(
        model=lambda: nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-2),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 16),
        steps=300,
        evaluate=accuracy(data),
    )


def _moderate_targets() -> Training:
    data = wave()
    data = data._replace(y=6 + 4 * data.y, test_y=6 + 4 * data.test_y)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(1, 50), nn.SiLU(), nn.Linear(50, 50), nn.SiLU(), nn.Linear(50, 1)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-2),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 48),
        steps=400,
        evaluate=r_squared(data),
    )


def _converged() -> Training:
    """Fine-tuning of a line that already is the least-squares solution: nothing is left to learn, and nothing is wrong."""
    data: Split = standardised(split(*_noisy_plane()))

    def make() -> nn.Module:
        line = nn.Linear(6, 1)
        rows = torch.cat([data.x, torch.ones(len(data.x), 1)], 1)
        solution = torch.linalg.lstsq(rows, data.y).solution.round(decimals=3)  # the same to the last bit each time
        with torch.no_grad():
            line.weight.copy_(solution[:-1].t())
            line.bias.copy_(solution[-1])
        return line

    return Training(
        model=make,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=200,
        evaluate=r_squared(data),
    )


def _noisy_plane() -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(31)
    x = torch.randn(500, 6, generator=source)
    return x, x.sum(1, keepdim=True) + 0.5 * torch.randn(500, 1, generator=source)


_C: dict[str, Any] = {"label": None, "task": "classification", "near_boundary": True}
_R: dict[str, Any] = {"label": None, "task": "regression", "near_boundary": True}
PATIENTS = (
    Patient(name="twenty_tanh_layers_xavier", family="mlp", training=_deep_tanh, good=0.9, **_C),
    Patient(name="eight_sigmoid_layers_batch_norm", family="mlp", training=_deep_sigmoid_normed, good=0.85, **_C),
    Patient(name="six_sigmoid_layers_gain_four", family="mlp", training=_sigmoid_with_gain, good=0.85, **_C),
    Patient(name="sparse_wide_relu", family="mlp", training=_sparse_relu, good=0.9, **_C),
    Patient(name="confident_saturated_spirals", family="mlp", training=_confident_spirals, good=0.97, **_C),
    Patient(name="frozen_filters_learning_head", family="cnn", training=_frozen_backbone, good=0.9, **_C),
    Patient(name="twelve_words_of_a_thousand", family="rnn", training=_large_vocabulary, good=0.9, **_C),
    Patient(name="linear_autoencoder_is_pca", family="autoencoder", training=_linear_autoencoder, good=0.7, **_R),
    Patient(name="branches_and_head_start_at_zero", family="mlp", training=_zero_start, good=0.9, **_C),
    Patient(name="sigmoid_end_targets_in_range", family="mlp", training=partial(_bounded_on_purpose, nn.Sigmoid, 0.05, 0.95, nn.MSELoss()), good=0.85, **_R),
    Patient(name="tanh_end_targets_in_range", family="mlp", training=partial(_bounded_on_purpose, nn.Tanh, -0.9, 0.9, nn.L1Loss()), good=0.85, **_R),
    Patient(name="softplus_end_positive_targets", family="mlp", training=partial(_bounded_on_purpose, nn.Softplus, 0.0, 5.0, nn.MSELoss()), good=0.85, **_R),
    Patient(name="rounded_units_straight_through", family="mlp", training=_straight_through, good=0.9, **_C),
    Patient(name="iris_in_centimetres", family="mlp", training=_iris_in_centimetres, good=0.9, **_C),
    Patient(name="wave_around_six", family="mlp", training=_moderate_targets, good=0.85, **_R),
    Patient(name="nothing_left_to_learn", family="linear", training=_converged, good=0.9, **_R),
)
