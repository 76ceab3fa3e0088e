"""Ill: no learning rate is right for every direction at once. Bases nearly parallel, sensors nearly equal, blurred signals, rare words."""

import math
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ..blocks import mlp
from ._recipes import Optimizer, adam, by, sgd
from ._sets import Split, accuracy, explained, full_batch, minibatches, r_squared, split


@cache
def _curve(*, orthogonal: bool) -> Split:
    """Return a wavy curve over [0, 1] in eleven polynomial features: monomials, or Legendre polynomials of unit deviation."""
    source = torch.Generator().manual_seed(61)
    t = torch.rand(400, generator=source)
    powers = torch.stack([t**k for k in range(1, 12)], 1)
    if orthogonal:
        columns = [torch.special.legendre_polynomial_p(2 * t - 1, k) * math.sqrt(2 * k + 1) for k in range(1, 12)]
        powers = torch.stack(columns, 1)
    return split(powers, torch.sin(3 * math.pi * t).unsqueeze(1))


def _polynomial(*, orthogonal: bool) -> Training:
    data = _curve(orthogonal=orthogonal)
    return Training(
        model=lambda: nn.Linear(11, 1),
        optimizer=sgd(0.05, 0.9),
        loss=F.mse_loss,
        batches=full_batch(data.x, data.y),
        steps=500,
        evaluate=r_squared(data),
    )


@cache
def _sensors(*, whitened: bool) -> Split:
    """Return sixteen sensors that all follow one drift; what matters is how they differ."""
    source = torch.Generator().manual_seed(62)
    own = torch.randn(1600, 16, generator=source)
    x = torch.randn(1600, 1, generator=source) + 0.02 * own
    y = torch.tanh(0.5 * own[:, :4].sum(1)) + 0.5 * own[:, 5]
    x = (x - x.mean(0)) / x.std(0)
    if whitened:
        values, vectors = torch.linalg.eigh(torch.cov(x.T))
        x = x @ vectors / values.sqrt()
    return split(x, y.unsqueeze(1))


def _drifting_sensors(*, whitened: bool) -> Training:
    data = _sensors(whitened=whitened)
    return Training(
        model=lambda: mlp((16, 48, 1), nn.Tanh),
        optimizer=sgd(0.05, 0.9),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 50),
        steps=500,
        evaluate=r_squared(data),
    )


class _Blurred(nn.Module):
    """An unknown signal behind a known blur: the model is the signal."""

    def __init__(self, blur: Tensor) -> None:
        super().__init__()
        self.signal = nn.Parameter(torch.zeros(len(blur)))
        self.blur: Tensor
        self.register_buffer("blur", blur)

    def forward(self, rows_wanted: Tensor) -> Any:
        return (self.blur @ self.signal)[rows_wanted]


def _deblur(*, second_order: bool) -> Training:
    place = torch.arange(60, dtype=torch.float32)
    blur = torch.exp(-((place[:, None] - place[None, :]) ** 2) / (2 * 1.5**2))
    blur = blur / blur.sum(1, keepdim=True)
    truth = torch.where((place % 12) < 5, 1.0, -1.0) * torch.where(place > 30, 0.5, 1.0)

    def optimizer(m: nn.Module) -> Optimizer:
        if second_order:
            return torch.optim.LBFGS(m.parameters(), lr=1.0, max_iter=10, history_size=30, line_search_fn="strong_wolfe")
        return torch.optim.SGD(m.parameters(), lr=30.0, momentum=0.9)

    def judge(model: nn.Module) -> float:
        assert isinstance(model, _Blurred)
        return explained(truth, model.signal.detach())

    return Training(
        model=partial(_Blurred, blur),
        optimizer=optimizer,
        loss=F.mse_loss,
        batches=full_batch(torch.arange(60), blur @ truth),
        steps=120,
        evaluate=judge,
    )


@cache
def _rare_words() -> Split:
    """Return single words drawn as in a language, most of them rare, and a number that each word stands for; the test asks each word once."""
    source = torch.Generator().manual_seed(64)
    frequency = 1.0 / torch.arange(1, 1001, dtype=torch.float32) ** 1.3
    words = torch.multinomial(frequency, 3000, replacement=True, generator=source)
    words = torch.cat([words, torch.arange(1000)])
    meaning = torch.randn(1000, generator=source)
    asked = torch.arange(1000)
    return Split(words, meaning[words].unsqueeze(1), asked, meaning[asked].unsqueeze(1))


def _lexicon(*, adaptive: bool) -> Training:
    data = _rare_words()
    return Training(
        model=lambda: nn.Embedding(1000, 1),
        optimizer=adam(0.05) if adaptive else sgd(2.0),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 128),
        steps=400,
        evaluate=r_squared(data),
    )


class _Decays(nn.Module):
    """A sum of three decays with unknown amplitudes and logarithmic rates."""

    def __init__(self) -> None:
        super().__init__()
        self.amplitude = nn.Parameter(torch.ones(3) + 0.1 * torch.randn(3))
        self.log_rate = nn.Parameter(torch.tensor([-1.0, 0.0, 1.0]) + 0.1 * torch.randn(3))

    def forward(self, t: Tensor) -> Any:
        return (self.amplitude * torch.exp(-t * self.log_rate.exp())).sum(1, keepdim=True)


def _three_decays(*, second_order: bool) -> Training:
    t = torch.linspace(0, 4, 80).unsqueeze(1)
    rates, sizes = torch.tensor([0.15, 1.2, 6.0]), torch.tensor([1.0, -2.0, 3.0])
    y = (sizes * torch.exp(-t * rates)).sum(1, keepdim=True)

    def fit(model: nn.Module) -> float:
        with torch.no_grad():
            error = float(((model(t) - y) ** 2).mean() / y.var())
        return -math.log10(error + 1e-12) if math.isfinite(error) else -1.0

    newton = by(torch.optim.LBFGS, lr=1.0, max_iter=8, history_size=20, line_search_fn="strong_wolfe")
    return Training(
        model=_Decays,
        optimizer=newton if second_order else sgd(0.05, 0.9),
        loss=F.mse_loss,
        batches=full_batch(t, y),
        steps=100,
        evaluate=fit,
    )


@cache
def _shared_background(*, removed: bool) -> Split:
    """Return spectra of three mixtures: small lines on one broad background whose height varies a hundred times more than the lines."""
    source = torch.Generator().manual_seed(66)
    grid = torch.linspace(0, 1, 40)
    y = torch.arange(600) % 3
    lines = torch.stack([torch.exp(-(((grid - c) / 0.05) ** 2)) for c in (0.35, 0.5, 0.65)])
    background = torch.exp(-(((grid - 0.5) / 0.6) ** 2))
    height = torch.randn(600, 1, generator=source)
    x = (0.0 if removed else 1.0) * height * background + 0.015 * lines[y] + 0.003 * torch.randn(600, 40, generator=source)
    return split(x * (30.0 if removed else 1.0), y)


def _spectra(*, removed: bool) -> Training:
    data = _shared_background(removed=removed)
    return Training(
        model=lambda: nn.Linear(40, 3),
        optimizer=sgd(0.1, 0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 50),
        steps=300,
        evaluate=accuracy(data),
    )


_S: dict[str, Any] = {"label": "slow_convergence"}
PATIENTS = (
    Patient(
        name="wave_in_monomials",
        family="linear",
        task="regression",
        training=partial(_polynomial, orthogonal=False),
        healed=partial(_polynomial, orthogonal=True),
        good=0.95,
        **_S,
    ),
    Patient(
        name="sixteen_sensors_one_drift",
        family="mlp",
        task="regression",
        training=partial(_drifting_sensors, whitened=False),
        healed=partial(_drifting_sensors, whitened=True),
        good=0.5,
        **_S,
    ),
    Patient(
        name="blurred_signal_first_order",
        family="linear",
        task="regression",
        training=partial(_deblur, second_order=False),
        healed=partial(_deblur, second_order=True),
        good=0.945,
        **_S,
    ),
    Patient(
        name="lexicon_of_rare_words_sgd",
        family="embedding",
        task="regression",
        training=partial(_lexicon, adaptive=False),
        healed=partial(_lexicon, adaptive=True),
        good=0.9,
        **_S,
    ),
    Patient(
        name="three_decays_by_momentum",
        family="other",
        task="regression",
        training=partial(_three_decays, second_order=False),
        healed=partial(_three_decays, second_order=True),
        good=4.0,
        **_S,
    ),
    Patient(
        name="small_lines_on_a_broad_background",
        family="linear",
        task="classification",
        training=partial(_spectra, removed=False),
        healed=partial(_spectra, removed=True),
        good=0.9,
        **_S,
    ),
)
