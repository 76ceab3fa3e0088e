"""Targets far from the size of an output, with many kinds of networks, losses and optimizers, and far ones that do no harm."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, mlp
from ..data import Data
from .more_tasks import adam, adamw, regress, rmsprop, sgd


def _moved(d: Data, mean: float, deviation: float) -> Data:
    return d.with_targets(lambda y: mean + deviation * y)


def _rent(mean: float, deviation: float) -> Training:
    """Rents in units, and Adam at its usual rate."""
    return regress(_moved(data.friedman(), mean, deviation), lambda: mlp((10, 64, 64, 1)), adam(1e-3), 250)


def _ages(mean: float, deviation: float) -> Training:
    """Ages in days, by the absolute error: a gradient of one size, however far the target."""
    d = _moved(data.friedman(), mean, deviation)
    return regress(d, lambda: mlp((10, 32, 32, 1), nn.Tanh), sgd(0.01, momentum=0.9), 250, loss=F.l1_loss)


def _mixed_units(first: float) -> Training:
    """Two answers, one of them in thousands."""
    d = data.friedman()

    def both(y: Tensor) -> Tensor:
        return torch.cat([first * y, y.square() - 1], 1)

    two = d.with_targets(both)

    def evaluate(model: nn.Module) -> float:
        said = data.predictions(model, two.x_test)
        rest = (said - two.y_test).square().sum(0) / (two.y_test - two.y_test.mean(0)).square().sum(0)
        return 1.0 - float(rest.max()) if bool(torch.isfinite(said).all()) else -1e9

    return regress(two, lambda: mlp((10, 48, 48, 2)), adam(0.005), 400, evaluate=evaluate)


def _levels(mean: float, deviation: float) -> Training:
    """The level of a river after a walk, read by an LSTM."""
    d = _moved(data.bit_sums(length=10), mean, deviation)
    return regress(d, lambda: SequenceReader(1, 24, 1, cell="lstm"), adam(0.005), 250)


class _Ink(nn.Module):
    """Two convolutions, and how much is there."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return one number a sample."""
        y: Tensor = self.body(x)
        return y


def _ink(scale: float, offset: float) -> Training:
    """Ink weighed in grams."""
    d, raw = data.digit_images(), data.digits(scale="unit")
    mean, deviation = raw.x.sum(1).mean(), raw.x.sum(1).std()

    def weigh(x: Tensor) -> Tensor:
        return offset + scale * (x.sum(1, keepdim=True) - mean) / deviation

    weighed = Data(d.x, weigh(raw.x), d.x_test, weigh(raw.x_test))
    return regress(weighed, _Ink, sgd(0.02, momentum=0.9), 200, loss=F.huber_loss)


def _heights(mean: float, deviation: float) -> Training:
    """Heights in millimetres, with RMSprop."""
    d = _moved(data.diabetes(), mean, deviation)
    return regress(d, lambda: mlp((10, 24, 1), nn.GELU), rmsprop(0.001), 300, evaluate=data.r2(d.x, d.y))


def _curve(mean: float, deviation: float) -> Training:
    """A sine far from nought under a deep tanh network: what it learns first is the offset."""
    return regress(_moved(data.sines(), mean, deviation), lambda: mlp((1, 32, 32, 1), nn.Tanh), sgd(0.03, momentum=0.9), 500)


class _WithUncertainty(nn.Module):
    """A mean and a variance."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp((10, 48, 2))

    def forward(self, x: Tensor) -> Any:
        """Return mean and variance, or the mean alone in evaluation."""
        out = self.net(x)
        return (out[:, :1], F.softplus(out[:, 1:]) + 1e-3) if self.training else out[:, :1]


def _likely(mean: float, deviation: float) -> Training:
    def loss(said: Any, y: Tensor) -> Tensor:
        return F.gaussian_nll_loss(said[0], y, said[1])

    return regress(_moved(data.friedman(), mean, deviation), _WithUncertainty, adam(0.005), 350, loss=loss)


def _grains(deviation: float) -> Training:
    """Grains of a hundred thousandth, that drown in the output's first noise."""
    return regress(_moved(data.friedman(), 0.0, deviation), lambda: mlp((10, 48, 48, 1)), sgd(0.1), 200)


# ---------------------------------------------------------------- healthy


def _started_at_the_mean() -> Training:
    """Far targets, and an output layer whose bias starts at their mean."""
    d = _moved(data.friedman(), 500.0, 5.0)

    def model() -> nn.Module:
        network = mlp((10, 48, 48, 1))
        nn.init.constant_(network[-1].bias, 500.0)  # type: ignore[arg-type]
        return network

    return regress(d, model, adam(0.005), 400)


def _newton() -> Training:
    d = _moved(data.plane(), 3000.0, 500.0)
    return regress(d, lambda: nn.Linear(8, 1), lambda m: torch.optim.LBFGS(m.parameters(), lr=1.0), 60, size=None)


def _nimble() -> Training:
    """Targets of twenty and a rate that gets there."""
    return regress(_moved(data.friedman(), 20.0, 4.0), lambda: mlp((10, 64, 1)), adam(0.03), 400)


def _unscaled_head() -> Training:
    """Large targets, and a fixed factor after the output layer."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp((10, 48, 48, 1))

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.net(x)
            return 4000.0 + 800.0 * y

    return regress(_moved(data.friedman(), 4000.0, 800.0), Scaled, adamw(0.004), 400)


def _small_and_fine() -> Training:
    """Hundredths, and steps that fit them."""
    return regress(_moved(data.friedman(), 0.0, 0.05), lambda: mlp((10, 48, 1)), sgd(0.15), 500)


def _ill(name: str, family: str, make: Callable[..., Training], far: tuple[float, ...], near: tuple[float, ...], good: float, *also: str) -> Patient:
    return Patient(
        name=name, label="target_scaling", family=family, task="regression", training=partial(make, *far), healed=partial(make, *near), good=good,
        also_true=frozenset(also),
    )  # fmt: skip


def _healthy(name: str, make: Callable[[], Training], good: float, family: str = "mlp") -> Patient:
    return Patient(name=name, label=None, family=family, task="regression", training=make, good=good, near_boundary=True)


THROWN = ("lr_too_high", "exploding_gradient", "nan_inf", "dead_units", "trivial_solution")
TUNED = (
    _ill("rents_with_adam", "mlp", _rent, (650.0, 180.0), (0.0, 1.0), 0.75, "lr_too_low"),
    _ill("ages_by_the_absolute_error", "mlp", _ages, (16000.0, 5500.0), (0.0, 1.0), 0.7, "saturated", "trivial_solution"),
    _ill("answers_in_mixed_units", "mlp", _mixed_units, (1500.0,), (1.0,), 0.4, "loss_term_imbalance"),
    _ill("levels_of_a_river", "lstm", _levels, (120.0, 6.0), (0.0, 1.0), 0.8, "saturated", "trivial_solution", "lr_too_low"),
    _ill("grains_of_a_thousandth", "mlp", _grains, (1e-3,), (1.0,), 0.6, "lr_too_low"),
    _healthy("output_that_starts_at_the_mean", _started_at_the_mean, 0.6),
    _healthy("far_plane_by_newton", _newton, 0.9, "linear"),
    _healthy("twenties_with_a_nimble_rate", _nimble, 0.6),
)
HELD = (
    _ill("ink_in_grams", "cnn", _ink, (250.0, 900.0), (1.0, 0.0), 0.8, *THROWN),
    _ill("heights_in_millimetres", "mlp", _heights, (1700.0, 80.0), (0.0, 1.0), 0.3, "lr_too_low"),
    _ill("sine_far_from_nought", "mlp", _curve, (60.0, 12.0), (0.0, 1.0), 0.8, *THROWN, "saturated", "saturated_but_moving", "bad_init_scale"),
    _ill("uncertain_about_hundreds", "mlp", _likely, (400.0, 100.0), (0.0, 1.0), 0.6, *THROWN),
    _healthy("fixed_factor_after_the_output", _unscaled_head, 0.75),
    _healthy("targets_of_hundredths", _small_and_fine, 0.6),
)
PATIENTS = TUNED + HELD
