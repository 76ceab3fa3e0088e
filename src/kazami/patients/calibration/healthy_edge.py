"""Healthy trainings with a symptom: what looks like an illness in them is none, because they work."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _deep_sigmoid_good_gain() -> Training:
    """Five sigmoid layers with Xavier weights of gain 4: a plateau first, then it goes."""
    d = data.digits()
    return Training(
        model=lambda: blocks.initialise(blocks.mlp([64, *[48] * 5, 10], nn.Sigmoid), partial(nn.init.xavier_normal_, gain=4.0)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 32, seed=111),
        steps=500,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _confident_tanh() -> Training:
    """Large weights, hidden units near -1 and 1, and a perfect fit."""
    d = data.spirals()
    return Training(
        model=lambda: blocks.initialise(blocks.mlp([2, 64, 32, 2], nn.Tanh), partial(nn.init.xavier_normal_, gain=3.0), bias=None),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.02),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 50, seed=112),
        steps=500,
        evaluate=data.accuracy(d.x, d.y),
    )


def _sparse_relu() -> Training:
    """256 units, most of them silent on everything, and those that are left suffice."""
    d = data.digits()

    def model() -> nn.Module:
        network = blocks.mlp([64, 256, 10])
        nn.init.constant_(network[0].bias, -1.5)  # type: ignore[arg-type]
        return network

    return Training(
        model=model,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 32, seed=113),
        steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _swings_around_nothing() -> Training:
    """Converged early; the loss then swings by decades, around nearly nothing."""
    d = data.sines(periods=1.0)
    return Training(
        model=lambda: blocks.mlp([1, 40, 40, 1], nn.Tanh),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.01),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 50, seed=114),
        steps=600,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _one_bad_batch() -> Training:
    """Batch 120 holds targets a hundred times too large; the loss leaps and comes back."""
    d = data.friedman()
    regular = data.minibatches(d.x, d.y, 25, seed=115, epochs=40)

    def batches() -> Iterator[tuple[Any, Any]]:
        for number, (x, y) in enumerate(regular()):
            yield (x, 100.0 * y) if number == 120 else (x, y)

    return Training(
        model=lambda: blocks.mlp([10, 40, 40, 1]),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=nn.MSELoss(),
        batches=batches,
        steps=500,
        evaluate=data.r2(d.x_test, d.y_test),
    )


class _WithScaler(nn.Module):
    """A network in half precision that carries the gradient scaler of its loop."""

    def __init__(self) -> None:
        super().__init__()
        self.net = blocks.mlp([64, 64, 10])
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**26, growth_interval=40)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.float16):
            z: Tensor = self.net(x)
        return z.float()


def _scaler_skips() -> Training:
    """fp16 with a scaler that overflows at first and then every 40 steps: those steps are skipped, as they should be."""
    d = data.digits()

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Any, Any]) -> Tensor:
        assert isinstance(model, _WithScaler)
        x, y = batch
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        model.scaler.scale(loss).backward()
        model.scaler.step(optimizer)
        model.scaler.update()
        return loss

    return Training(
        model=_WithScaler,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=116),
        steps=250,
        train_step=step,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _squared_error(output: Tensor, target: Tensor) -> Tensor:
    return (output - F.one_hot(target, 10)).square().sum(1).mean()


def _edge_of_stability() -> Training:
    """Full-batch descent at a high rate: within 150 steps the sharpness climbs to 2 / rate and stays there, while the loss falls on in waves."""
    d = data.digits()
    return Training(
        model=lambda: blocks.mlp([64, 40, 40, 10], nn.Tanh),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.2),
        loss=_squared_error,
        batches=data.minibatches(d.x[:500], d.y[:500]),
        steps=400,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _warmed_up_residuals() -> Training:
    """42 weight layers, with shortcuts and a warm-up."""
    d = data.digits()
    return Training(
        model=lambda: blocks.residual_mlp(64, 24, 10, 20),
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=3e-3),
        scheduler=lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: min(1.0, (step + 1) / 40)),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 64, seed=118),
        steps=150,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _always_clipped() -> Training:
    """Clipping bites at nearly every step, on purpose, and the rate allows for it."""
    d = data.bit_sums(length=20)
    return Training(
        model=lambda: blocks.SequenceReader(1, 24, 1, cell="rnn"),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.3, momentum=0.9),
        scheduler=lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.02, total_iters=400),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 30, seed=119),
        steps=400,
        clip_grad_norm=0.05,
        evaluate=data.r2(d.x, d.y),
    )


def _decayed_and_well() -> Training:
    """A weight decay that would kill a deep network is just right for this one."""
    d = data.breast_cancer()
    return Training(
        model=lambda: nn.Linear(30, 2),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9, weight_decay=0.1),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 32, seed=120),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _half_dropped() -> Training:
    """Train loss far above eval loss, as half of the units are dropped."""
    d = data.digit_images()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 12, 3, padding=1)
            self.norm = nn.BatchNorm2d(12)
            self.hidden = nn.Linear(192, 64)
            self.out = nn.Linear(64, 10)

        def forward(self, x: Tensor) -> Tensor:
            h = F.max_pool2d(F.relu(self.norm(self.conv(x)), inplace=True), 2)
            h = F.dropout(F.relu(self.hidden(F.dropout(h.flatten(1), 0.5, self.training))), 0.5, self.training)
            z: Tensor = self.out(h)
            return z

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=121),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _edge(name: str, family: str, make: Any, good: float, *, regression: bool = False) -> Patient:
    task = "regression" if regression else "classification"
    return Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=True)  # type: ignore[arg-type]


PATIENTS = (
    _edge("deep_sigmoid_with_the_right_gain", "mlp", _deep_sigmoid_good_gain, 0.85),
    _edge("confident_tanh", "mlp", _confident_tanh, 0.97),
    _edge("sparse_relu", "mlp", _sparse_relu, 0.93),
    _edge("swings_around_nothing", "mlp", _swings_around_nothing, 0.98, regression=True),
    _edge("one_bad_batch", "mlp", _one_bad_batch, 0.75, regression=True),
    _edge("scaler_skips", "mlp", _scaler_skips, 0.93),
    _edge("edge_of_stability", "mlp", _edge_of_stability, 0.9),
    _edge("warmed_up_residuals", "mlp", _warmed_up_residuals, 0.9),
    _edge("always_clipped", "rnn", _always_clipped, 0.8, regression=True),
    _edge("decayed_and_well", "linear", _decayed_and_well, 0.93),
    _edge("half_dropped", "cnn", _half_dropped, 0.93),
)
