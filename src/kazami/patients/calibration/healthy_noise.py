"""Healthy trainings whose loss stays high, or hardly moves, for a good reason: noise, imbalance, a finished or a deliberately partial training."""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _noisy_labels() -> Training:
    """Three labels in ten are drawn at random: the loss cannot fall below about 1, and the held-out digits are read well all the same."""
    d = data.digits()
    generator = np.random.default_rng(130)
    is_noisy = torch.from_numpy(generator.random(len(d.y)) < 0.3)
    noisy = torch.where(is_noisy, torch.from_numpy(generator.integers(0, 10, len(d.y))), d.y)
    return Training(
        model=lambda: blocks.mlp([64, 32, 10]),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, noisy, 32, seed=130),
        steps=250,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _rare_class() -> Training:
    """One sample in ten is of class 1; scored on as many of either class."""
    d = data.breast_cancer()
    keep = torch.cat([(d.y == 1).nonzero().flatten(), (d.y == 0).nonzero().flatten()[:28]])
    few = min(int((d.y_test == 0).sum()), int((d.y_test == 1).sum()))
    test = torch.cat([(d.y_test == c).nonzero().flatten()[:few] for c in (0, 1)])
    return Training(
        model=lambda: blocks.mlp([30, 16, 2]),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=nn.CrossEntropyLoss(weight=torch.tensor([5.0, 1.0])),
        batches=data.minibatches(d.x[keep], d.y[keep], 32, seed=131),
        steps=200,
        evaluate=data.accuracy(d.x_test[test], d.y_test[test]),
    )


def _mostly_noise() -> Training:
    """Four fifths of the targets' variance is noise; the plane under it is found."""
    noisy, clean = data.plane(1200, noise=2.0), data.plane(1200, noise=0.0)
    return Training(
        model=lambda: nn.Linear(8, 1),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01),
        loss=F.mse_loss,
        batches=data.minibatches(noisy.x, noisy.y, 50, seed=132),
        steps=400,
        evaluate=data.r2(clean.x_test, clean.y_test),
    )


@cache
def _trained_digits() -> dict[str, Tensor]:
    """Weights of a finished training, to be tuned further."""
    d = data.digits()
    state = torch.random.get_rng_state()
    finished = Training(
        model=lambda: blocks.mlp([64, 64, 10]),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=133),
        steps=300,
    ).run()
    torch.random.set_rng_state(state)
    return finished.model.state_dict()


def _fine_tune() -> Training:
    """A small rate, a flat loss: it had converged before."""
    d = data.digits()
    weights = _trained_digits()

    def model() -> nn.Module:
        network = blocks.mlp([64, 64, 10])
        network.load_state_dict(weights)
        return network

    return Training(
        model=model,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-5),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 64, seed=134),
        steps=150,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


class _Backbone(nn.Module):
    """Random convolutions, frozen on purpose, and a head that learns."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.features.requires_grad_(requires_grad=False)
        self.head = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            h = self.features(x).flatten(1)
        z: Tensor = self.head(h)
        return z


def _frozen_on_purpose() -> Training:
    d = data.digit_images()
    return Training(
        model=_Backbone,
        optimizer=lambda m: torch.optim.Adam([p for p in m.parameters() if p.requires_grad], lr=5e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=135),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _raw_centimetres() -> Training:
    """The width of a petal from its length and the sepals, in centimetres as measured."""
    d = data.iris(scale="raw")
    x, y, x_test, y_test = d.x[:, :3], d.x[:, 3:], d.x_test[:, :3], d.x_test[:, 3:]
    return Training(
        model=lambda: nn.Linear(3, 1),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01),
        loss=nn.MSELoss(),
        batches=data.minibatches(x, y, 16, seed=136),
        steps=500,
        evaluate=data.r2(x_test, y_test),
    )


def _two_groups() -> Training:
    """A slow body and a fast head, each with a rate of its own."""
    d = data.friedman()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(10, 40), nn.GELU(), nn.Linear(40, 40), nn.GELU())
            self.head = nn.Linear(40, 1)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.head(self.body(x))
            return y

    def optimizer(model: nn.Module) -> torch.optim.Optimizer:
        assert isinstance(model, Net)
        groups = [{"params": model.body.parameters(), "lr": 1e-3}, {"params": model.head.parameters(), "lr": 1e-2, "weight_decay": 1e-4}]
        return torch.optim.RMSprop(groups)

    return Training(
        model=Net,
        optimizer=optimizer,
        loss=nn.SmoothL1Loss(),
        batches=data.minibatches(d.x, d.y, 25, seed=137),
        steps=400,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _linear_on_purpose() -> Training:
    """Three linear layers without activations, for a target that is linear."""
    d = data.plane(features=12, noise=0.2)
    return Training(
        model=lambda: blocks.mlp([12, 16, 16, 1], nn.Identity),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.02, momentum=0.9),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 50, seed=138),
        steps=300,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _counts() -> Training:
    """Counts 0, 2, 4, 6: never negative, and neither is the output. A bounded output that fits its targets and its loss."""
    d = data.blobs(classes=4).with_targets(lambda y: 2.0 * y.float().unsqueeze(1))
    return Training(
        model=lambda: blocks.mlp([6, 48, 48, 1], nn.Tanh, output=nn.Softplus()),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=nn.PoissonNLLLoss(log_input=False),
        batches=data.minibatches(d.x, d.y, 25, seed=139),
        steps=300,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _edge(name: str, family: str, make: Any, good: float, *, regression: bool = False, near: bool = True) -> Patient:
    task = "regression" if regression else "classification"
    return Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=near)  # type: ignore[arg-type]


PATIENTS = (
    _edge("noisy_labels", "mlp", _noisy_labels, 0.85),
    _edge("rare_class", "mlp", _rare_class, 0.85, near=False),
    _edge("mostly_noise", "linear", _mostly_noise, 0.9, regression=True),
    _edge("fine_tune_of_a_finished_training", "mlp", _fine_tune, 0.93),
    _edge("frozen_on_purpose", "cnn", _frozen_on_purpose, 0.9),
    _edge("raw_centimetres", "linear", _raw_centimetres, 0.85, regression=True),
    _edge("two_groups", "mlp", _two_groups, 0.8, regression=True, near=False),
    _edge("linear_on_purpose", "linear", _linear_on_purpose, 0.9, regression=True),
    _edge("counts_with_softplus", "mlp", _counts, 0.7, regression=True),
)
