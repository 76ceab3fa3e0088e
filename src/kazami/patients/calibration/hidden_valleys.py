"""Valleys that do not lie in the inputs as they come: behind a first layer, in features made inside the model, in convolutions, in windows of a series."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import mlp
from ..data import Data
from .more_tasks import adam, classify, regress, sgd


def _halves(x: np.ndarray, y: np.ndarray) -> Data:
    inputs, targets = torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y.astype(np.float32))
    n = len(x) * 3 // 4
    return Data(inputs[:n], targets[:n], inputs[n:], targets[n:])


class _Standing(nn.Module):
    """Features that stand still, turned to unit second moment if ``white``, and a line on them."""

    def __init__(self, make: Callable[[Tensor], Tensor], seen: Tensor, outputs: int, *, white: bool) -> None:
        super().__init__()
        self.make = make
        features = make(seen).double()
        moment = features.T @ features / len(features)
        values, vectors = torch.linalg.eigh(moment)
        turn = vectors / values.clamp_min(1e-10 * float(values[-1])).sqrt() if white else torch.eye(len(moment), dtype=torch.float64)
        self.register_buffer("turn", turn.float())
        self.line = nn.Linear(len(moment), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return a line's answer."""
        y: Tensor = self.line(self.make(x) @ self.get_buffer("turn"))
        return y


@cache
def _bumps(*, wide: bool) -> Callable[[Tensor], Tensor]:
    """Radial functions around twenty places: so wide that each is nearly a sum of its neighbours."""
    places, width = torch.linspace(-1, 1, 20), 0.35 if wide else 0.07
    return lambda x: torch.exp(-((x - places) ** 2) / (2 * width**2))


def _bumps_on_a_sine(*, white: bool) -> Training:
    d = data.sines(periods=4.0)
    return regress(d, lambda: _Standing(_bumps(wide=True), d.x, 1, white=white), sgd(0.05), 400)


def _chebyshev(white: bool) -> Training:
    """Powers made inside the model."""
    d = data.sines(periods=3.0)

    def powers(x: Tensor) -> Tensor:
        return torch.cat([x**k for k in range(10)], 1)

    return regress(d, lambda: _Standing(powers, d.x, 1, white=white), sgd(0.1, momentum=0.5), 400)


@cache
def _window(*, differences: bool) -> Data:
    """Twenty neighbouring values of a slow series; what is asked for is the sum of its second differences, a thousandth of its size."""
    generator = np.random.default_rng(21)
    rows = np.cumsum(np.cumsum(generator.standard_normal((600, 22)), 1), 1) * 0.02 + generator.standard_normal((600, 1))
    second = np.diff(rows, 2, axis=1)
    target = second @ np.array([(-1.0) ** k for k in range(20)])
    x = second / second.std() if differences else rows[:, :20] / rows.std()
    return _halves(x, (target / target.std())[:, None])


def _slow_series(differences: bool) -> Training:
    return regress(_window(differences=differences), lambda: nn.Linear(20, 1), sgd(0.03), 400)


class _Squeezed(nn.Module):
    """A first layer that starts as a squeeze: its ten directions have sizes from 1 to 1/1000, or all 1."""

    def __init__(self, *, even: bool, trained: bool) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(10, 10, bias=False), nn.Linear(10, 1)
        left, _, right = torch.linalg.svd(torch.randn(10, 10))
        sizes = torch.ones(10) if even else torch.logspace(0, -3.2, 10)
        self.first.weight.data = left @ torch.diag(sizes) @ right
        self.first.requires_grad_(trained)

    def forward(self, x: Tensor) -> Tensor:
        """Return one number a sample."""
        y: Tensor = self.second(self.first(x))
        return y


def _behind_a_squeeze(even: bool) -> Training:
    """All directions matter alike for the target, and the layer that would have to undo the squeeze stands still."""
    d = data.plane(features=10, noise=0.05)
    return regress(d, lambda: _Squeezed(even=even, trained=False), sgd(0.1), 400)


class _Pictures(nn.Module):
    """One convolution as large as the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(1, 1, 8)

    def forward(self, x: Tensor) -> Tensor:
        """Return one number a picture."""
        y: Tensor = self.look(x).flatten(1)
        return y


@cache
def _texture(*, even: bool) -> Data:
    """Smooth pictures with a texture of a hundredth on them, whose sum along a checkerboard is asked for; ``even`` gives both the same size."""
    generator = np.random.default_rng(22)
    rows, columns = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8), indexing="ij")
    smooth = generator.standard_normal((600, 3)) @ np.stack([np.ones(64), rows.ravel(), columns.ravel()])
    fine = generator.standard_normal((600, 64))
    board = np.where((np.indices((8, 8)).sum(0) % 2).ravel() == 0, 1.0, -1.0)
    x = (0.5 * smooth if even else 3.0 * smooth) + (0.5 if even else 0.03) * fine
    return _halves(x.reshape(-1, 1, 8, 8), (fine @ board / 8.0)[:, None])


def _textured(even: bool) -> Training:
    return regress(_texture(even=even), _Pictures, sgd(0.02 if even else 0.001, momentum=0.5), 400)


def _logits_on_twins(even: bool) -> Training:
    """Which of two nearly equal sensors reads more? With logistic regression."""
    generator = np.random.default_rng(23)
    one = generator.standard_normal((600, 5))
    gap = generator.standard_normal((600, 5))
    x = np.concatenate([one + gap, one - gap] if even else [one + 0.01 * gap, one - 0.01 * gap], 1)
    d = _halves(x, (gap.sum(1) > 0).astype(np.float32)).with_targets(lambda y: y.long())
    return classify(d, lambda: nn.Linear(10, 2), sgd(0.3), 300)


def _towers(white: bool) -> Training:
    """A tanh layer that stands still over inputs of one number: its forty units are nearly alike."""
    d = data.sines(periods=4.0)

    def units(x: Tensor) -> Tensor:
        places = torch.linspace(-1, 1, 24)
        return torch.tanh(1.2 * (x - places))

    return regress(d, lambda: _Standing(units, d.x, 1, white=white), sgd(0.04), 400)


# ---------------------------------------------------------------- healthy


def _narrow_bumps() -> Training:
    d = data.sines(periods=4.0)
    return regress(d, lambda: _Standing(_bumps(wide=False), d.x, 1, white=False), sgd(0.3), 500)


def _squeezed_and_trained() -> Training:
    """The same squeeze, and a target that lies along its widest directions."""
    generator = torch.Generator().manual_seed(24)
    left, _, right = torch.linalg.svd(torch.randn(10, 10, generator=generator))
    squeeze = left @ torch.diag(torch.logspace(0, -3, 10)) @ right
    x = torch.randn(500, 10, generator=generator) @ squeeze
    y = x @ left.T[:, :1]
    x, y = x / x.std(), y / y.std()
    return regress(Data(x[:400], x[:400] @ torch.linalg.pinv(x[:400], rtol=0.2) @ y[:400], x[400:], y[400:]), lambda: mlp((10, 24, 1)), sgd(0.05), 400)


def _neighbours_of_a_mean() -> Training:
    """Twenty neighbouring values again, and their mean as the target."""
    d = _window(differences=False)
    mean = Data(d.x, d.x.mean(1, keepdim=True) * 1.2, d.x_test, d.x_test.mean(1, keepdim=True) * 1.2)
    return regress(mean, lambda: nn.Linear(20, 1), sgd(0.02), 300)


def _plateau_then_fall() -> Training:
    """A deep line: for a third of the time hardly anything happens."""
    d = data.plane(features=6, noise=0.05)

    def model() -> nn.Module:
        network = nn.Sequential(*(nn.Linear(6, 6, bias=False) for _ in range(3)), nn.Linear(6, 1))
        for place in range(3):
            network.get_parameter(f"{place}.weight").data = 0.45 * torch.eye(6)
        network.get_parameter("3.weight").data *= 0.3
        return network

    return Training(
        model=model, optimizer=sgd(0.05), loss=F.mse_loss, batches=data.minibatches(d.x, d.y, 32, epochs=4), steps=500, evaluate=data.r2(d.x_test, d.y_test)
    )


def _alike_with_adam() -> Training:
    """Features of wide bumps and Adam, which gets along well enough."""
    d = data.sines(periods=1.0)
    return regress(d, lambda: _Standing(_bumps(wide=True), d.x, 1, white=False), adam(0.05), 500)


def _ill(name: str, family: str, make: Callable[[bool], Training], good: float, task: Any = "regression", *also: str) -> Patient:
    return Patient(
        name=name, label="slow_convergence", family=family, task=task, training=partial(make, False), healed=partial(make, True), good=good,
        also_true=frozenset(also),
    )  # fmt: skip


def _healthy(name: str, family: str, make: Callable[[], Training], good: float) -> Patient:
    return Patient(name=name, label=None, family=family, task="regression", training=make, good=good, near_boundary=True)


def _bumps_by(white: bool) -> Training:
    return _bumps_on_a_sine(white=white)


TUNED = (
    _ill("wide_bumps_on_a_sine", "linear", _bumps_by, 0.8),
    _ill("windows_of_a_slow_series", "linear", _slow_series, 0.8),
    _ill("a_line_behind_a_squeeze", "linear", _behind_a_squeeze, 0.8, "regression", "frozen_parameters"),
    _healthy("narrow_bumps_on_a_sine", "linear", _narrow_bumps, 0.8),
    _healthy("squeezed_along_the_target", "mlp", _squeezed_and_trained, 0.8),
    _healthy("deep_line_with_a_plateau", "linear", _plateau_then_fall, 0.9),
)
HELD = (
    _ill("powers_made_inside", "linear", _chebyshev, 0.8),
    _ill("texture_on_smooth_pictures", "cnn", _textured, 0.8),
    _ill("which_of_two_sensors", "linear", _logits_on_twins, 0.85, "classification"),
    _ill("units_that_are_nearly_alike", "linear", _towers, 0.8),
    _healthy("neighbours_of_a_mean", "linear", _neighbours_of_a_mean, 0.9),
    _healthy("wide_bumps_with_adam", "linear", _alike_with_adam, 0.8),
)
PATIENTS = TUNED + HELD
