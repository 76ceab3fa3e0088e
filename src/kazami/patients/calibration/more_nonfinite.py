"""Operations that give nan or infinity: a power, a logarithm, an exponential, a difference of squares, a mask."""

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
from .more_tasks import adam, classify, regress, rmsprop, sgd


class _Power(nn.Module):
    """``x ** 1.5``; negative numbers have no such power, unless they are cut off first."""

    def __init__(self, *, cut: bool) -> None:
        super().__init__()
        self.cut = cut

    def forward(self, x: Tensor) -> Tensor:
        """Return the power."""
        return (x.clamp_min(0.0) if self.cut else x) ** 1.5


def _power(cut: bool) -> Training:
    return regress(data.friedman(), lambda: mlp((10, 32, 1), partial(_Power, cut=cut)), adam(0.005), 400)


class _Energies(nn.Module):
    """Filters over grey levels 0..255 and a linear head on the logarithm of each map's energy, which half precision cannot hold."""

    def __init__(self, precision: torch.dtype) -> None:
        super().__init__()
        self.filters = nn.Conv2d(1, 24, 3, stride=2)
        self.norm = nn.BatchNorm1d(24 * 3)
        self.head = nn.Linear(24 * 3, 10)
        self.precision = precision

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, 10)``."""
        energies = self.filters(x).to(self.precision).square().sum(3).float()
        logits: Tensor = self.head(self.norm(torch.log1p(energies).flatten(1)))
        return logits


def _energies(precision: torch.dtype) -> Training:
    return classify(data.digit_images(scale="raw"), lambda: _Energies(precision), adam(0.01), 250)


def _log_of_all(x: Tensor) -> Tensor:
    return torch.log1p(x)


def _log_of_the_size(x: Tensor) -> Tensor:
    return torch.sign(x) * torch.log1p(x.abs())


class _Logarithms(nn.Module):
    """A logarithm in front of an MLP."""

    def __init__(self, logarithm: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.logarithm = logarithm
        self.net = mlp((30, 32, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, 2)``."""
        logits: Tensor = self.net(self.logarithm(x))
        return logits


def _logarithms(logarithm: Callable[[Tensor], Tensor]) -> Training:
    return classify(data.breast_cancer(), lambda: _Logarithms(logarithm), sgd(0.05, momentum=0.9), 150)


def _sharp_by_hand(output: Tensor, target: Tensor) -> Tensor:
    """Return the logistic loss at a temperature of 1/1000, its softplus written out: ``exp`` overflows above 88."""
    z = 1000.0 * output[:, 0]
    return (torch.log(1.0 + torch.exp(z)) - target * z).mean()


def _sharp(output: Tensor, target: Tensor) -> Tensor:
    z = 1000.0 * output[:, 0]
    return (F.softplus(z) - target * z).mean()


def _temperature(loss: Any) -> Training:
    return classify(data.circles(), lambda: mlp((2, 32, 32, 1), nn.Tanh), adam(0.005), 300, loss=loss)


class _OwnNorm(nn.Module):
    """Normalises over the features; the variance as the mean of squares minus the square of the mean turns negative by rounding."""

    def __init__(self, *, in_one_pass: bool) -> None:
        super().__init__()
        self.in_one_pass = in_one_pass

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with mean 0 and deviation 1 over its last dimension."""
        mean = x.mean(-1, keepdim=True)
        variance = (x**2).mean(-1, keepdim=True) - mean**2 if self.in_one_pass else ((x - mean) ** 2).mean(-1, keepdim=True)
        return (x - mean) / torch.sqrt(variance + 1e-5)


class _Offset(nn.Module):
    """Normalised rows of a signal that rides on a level of 3000, read by a GRU."""

    def __init__(self, *, in_one_pass: bool) -> None:
        super().__init__()
        self.norm = _OwnNorm(in_one_pass=in_one_pass)
        self.reader = SequenceReader(8, 32, 10, cell="gru")

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, 10)``."""
        logits: Tensor = self.reader(self.norm(x + 3000.0))
        return logits


def _offset(in_one_pass: bool) -> Training:
    return classify(data.digit_rows(), lambda: _Offset(in_one_pass=in_one_pass), rmsprop(0.003), 300)


def _masked(output: Tensor, target: Tensor, *, multiplied: bool) -> Tensor:
    """Return a class-wise negative log-likelihood; the entries that do not count are multiplied by 0, or left out.

    Probabilities below 0.02 are cut to 0 beforehand, so that an entry that does not count may be ``0 * -inf``.
    """
    probabilities = torch.softmax(output, 1)
    kept = F.one_hot(target, 3).bool()
    if multiplied:
        return -(kept * torch.log(probabilities * (probabilities > 0.02))).sum(1).mean()
    return -torch.log(probabilities[kept] + 1e-6).mean()


def _mask(multiplied: bool) -> Training:
    return classify(data.wine(), lambda: mlp((13, 32, 3)), sgd(0.05), 200, loss=partial(_masked, multiplied=multiplied))


PATIENTS = (
    Patient(
        name="fractional_power_of_negative_features",
        label="nan_inf",
        family="mlp",
        task="regression",
        good=0.7,
        training=partial(_power, False),
        healed=partial(_power, True),
    ),
    Patient(
        name="energies_in_half_precision",
        label="fp16_overflow",
        family="cnn",
        task="classification",
        good=0.8,
        also_true=frozenset({"nan_inf", "input_scaling"}),
        training=partial(_energies, torch.float16),
        healed=partial(_energies, torch.float32),
    ),
    Patient(
        name="logarithm_of_standardised_cells",
        label="nan_inf",
        family="mlp",
        task="classification",
        good=0.9,
        training=partial(_logarithms, _log_of_all),
        healed=partial(_logarithms, _log_of_the_size),
    ),
    Patient(
        name="softplus_by_hand_at_low_temperature",
        label="nan_inf",
        family="mlp",
        task="classification",
        good=0.9,
        training=partial(_temperature, _sharp_by_hand),
        healed=partial(_temperature, _sharp),
    ),
    Patient(
        name="variance_below_zero_by_rounding",
        label="nan_inf",
        family="gru",
        task="classification",
        good=0.8,
        training=partial(_offset, True),
        healed=partial(_offset, False),
    ),
    Patient(
        name="masked_by_multiplication",
        label="nan_inf",
        family="mlp",
        task="classification",
        good=0.9,
        training=partial(_mask, True),
        healed=partial(_mask, False),
    ),
)
