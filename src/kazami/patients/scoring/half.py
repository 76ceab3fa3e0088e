"""Ill: half precision. Gradients too small for it become zero, sums and squares too large for it become infinite."""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ._recipes import adam, adamw, half_step, sgd
from ._sets import Split, accuracy, answer, digits, explained, friedman, images, minibatches, r_squared, split, table, tokens


@cache
def _blots() -> Split:
    """Return noisy 16×16 images with a bright square, and its mask."""
    source = torch.Generator().manual_seed(91)
    n = 240
    mask = torch.zeros(n, 1, 16, 16)
    for i in range(n):
        top, left = (int(v) for v in torch.randint(0, 10, (2,), generator=source))
        mask[i, 0, top : top + 6, left : left + 6] = 1.0
    return split(mask + 0.4 * torch.randn(mask.shape, generator=source), mask)


def _overlap(data: Split) -> Callable[[nn.Module], float]:
    def judge(model: nn.Module) -> float:
        found, truth = answer(model, data.test_x) > 0, data.test_y > 0.5
        return float((found & truth).sum() / (found | truth).sum().clamp(min=1))

    return judge


def _mean_taken_twice(*, scale: float) -> Training:
    """Segmentation under autocast; the loss, already a mean, is divided by the number of pixels again."""
    data = _blots()

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        out = model(batch[0])
        result: Tensor = F.binary_cross_entropy_with_logits(out.float(), batch[1]) / out.numel()
        return result

    return Training(
        model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 256), nn.Unflatten(1, (1, 16, 16))),
        optimizer=adam(3e-3, eps=1e-12),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 20),
        steps=250,
        train_step=half_step(loss, scale=scale),
        evaluate=_overlap(data),
    )


def _term_of_a_millionth(*, scale: float) -> Training:
    """A regression whose loss carries the tiny weight that its term once had in a larger sum."""
    data = friedman()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1), nn.Flatten(0)),
        optimizer=adamw(5e-3, eps=1e-14),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 50),
        steps=300,
        train_step=half_step(lambda model, batch: 1e-7 * F.mse_loss(model(batch[0]).float(), batch[1]), scale=scale),
        evaluate=r_squared(data),
    )


class _SmallSignal(nn.Module):
    """A denoiser of recordings in volts: its output is a ten-thousandth in size."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(48, 64), nn.Tanh(), nn.Linear(64, 48))
        self.gain = 1e-4

    def forward(self, x: Tensor) -> Any:
        return self.gain * self.net(x / self.gain).float()


@cache
def _recordings() -> Split:
    source = torch.Generator().manual_seed(93)
    t = torch.linspace(0, 1, 48)
    pitch = 2 + 4 * torch.rand(500, 1, generator=source)
    clean = 1e-4 * torch.sin(2 * math.pi * (pitch * t + torch.rand(500, 1, generator=source)))
    return split(clean + 3e-5 * torch.randn(clean.shape, generator=source), clean)


def _microvolts(*, scale: float) -> Training:
    data = _recordings()
    return Training(
        model=_SmallSignal,
        optimizer=adam(3e-3, eps=1e-16),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 30),
        steps=400,
        train_step=half_step(lambda model, batch: F.mse_loss(model(batch[0]), batch[1]), scale=scale),
        evaluate=lambda m: explained(data.test_y, answer(m, data.test_x)),
    )


class _Votes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(12, 24)
        self.mix = nn.Linear(24, 24)
        self.fc = nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Any:
        return self.fc(F.relu(self.mix(self.words(x))).mean(1))


def _cold_distillation(*, scale: float) -> Training:
    """Logits divided by a huge temperature: what comes back is smaller than the smallest half."""
    data = tokens()
    temperature = 3e6

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        wanted = torch.full((len(batch[1]), 3), -3.0).scatter(1, batch[1].unsqueeze(1), 3.0)
        soft = torch.softmax(wanted, 1)
        return -(soft * torch.log_softmax(model(batch[0]).float(), 1)).sum(1).mean() / temperature

    return Training(
        model=_Votes,
        optimizer=adam(1e-2, eps=1e-15),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=250,
        train_step=half_step(loss, scale=scale),
        evaluate=accuracy(data),
    )


class _HalfRms(nn.Module):
    """RMS normalisation that squares in the precision it is given."""

    def __init__(self, *, careful: bool) -> None:
        super().__init__()
        self.careful = careful

    def forward(self, x: Tensor) -> Any:
        square = x.float() * x.float() if self.careful else x * x
        return x * torch.rsqrt(square.mean(-1, keepdim=True) + 1e-5).to(x.dtype)


def _squares_in_half(*, careful: bool) -> Training:
    """Pixels up to 600 go through a linear layer and a norm that squares them: infinite in half, and the norm's answer is zero."""
    data = digits()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 64), _HalfRms(careful=careful), nn.ReLU(), nn.Linear(64, 10)),
        optimizer=adam(3e-3),
        loss=F.cross_entropy,
        batches=minibatches(600 * data.x, data.y, 32),
        steps=250,
        train_step=half_step(lambda model, batch: F.cross_entropy(model(batch[0]).float(), batch[1])),
        evaluate=lambda m: _half_accuracy(m, 600 * data.test_x, data.test_y),
    )


def _half_accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    with torch.autocast("cpu", dtype=torch.float16):
        found = answer(model, x)
    return float((found.argmax(1) == y).float().mean())


def _summed_in_half(*, careful: bool) -> Training:
    """An autoencoder under a root mean square whose sum is taken in half: more than the largest half, and the root's gradient there is 0."""
    data = table("digits")
    x, test_x = data.x, data.test_x

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        error = (model(batch[0]) - batch[0]).flatten()
        error = error.float() if careful else error.half()
        with torch.autocast("cpu", enabled=False):
            result: Tensor = (error.dot(error) / len(batch[0])).sqrt()
            return result

    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 64)),
        optimizer=adam(1e-2),
        loss=F.mse_loss,
        batches=minibatches(x, data.y, 50),
        steps=250,
        train_step=half_step(loss),
        evaluate=lambda m: explained(test_x, answer(m, test_x)),
    )


def _scale_of_a_billion(*, scale: float) -> Training:
    """A fixed loss scale so large that every gradient overflows and every step is skipped."""
    data = images()
    return Training(
        model=lambda: nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 10)),
        optimizer=sgd(0.05, 0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 32),
        steps=200,
        train_step=half_step(lambda model, batch: F.cross_entropy(model(batch[0]).float(), batch[1]), scale=scale),
        evaluate=accuracy(data),
    )


class _Attends(nn.Module):
    """One query attends to tokens; its scores are not divided by the root of the width."""

    def __init__(self, *, divided: bool) -> None:
        super().__init__()
        self.tokens = nn.Embedding(12, 64)
        self.query, self.key = nn.Linear(64, 64), nn.Linear(64, 64)
        self.head = nn.Linear(64, 3)
        self.factor = 1 / 4096 if divided else 1.0
        with torch.no_grad():
            self.tokens.weight.mul_(64)

    def forward(self, x: Tensor) -> Any:
        h = self.tokens(x)
        scores = (self.query(h) * self.factor) @ self.key(h).transpose(1, 2)
        return self.head((torch.softmax(scores, -1) @ (h / 64)).mean(1))


def _scores_in_half(*, divided: bool) -> Training:
    data = tokens()
    return Training(
        model=partial(_Attends, divided=divided),
        optimizer=adam(2e-3),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        train_step=half_step(lambda model, batch: F.cross_entropy(model(batch[0]).float(), batch[1]), guarded=False),
        evaluate=accuracy(data),
    )


_U: dict[str, Any] = {"label": "fp16_underflow", "also_true": frozenset({"vanishing_gradient"})}
_O: dict[str, Any] = {"label": "fp16_overflow"}
_NAN: dict[str, Any] = {**_O, "also_true": frozenset({"nan_inf", "nonfinite_weights"})}
PATIENTS = (
    Patient(
        name="pixel_mean_taken_twice_in_half",
        family="mlp",
        task="classification",
        training=partial(_mean_taken_twice, scale=1.0),
        healed=partial(_mean_taken_twice, scale=2.0**20),
        good=0.75,
        **_U,
    ),
    Patient(
        name="term_of_a_ten_millionth_in_half",
        family="mlp",
        task="regression",
        training=partial(_term_of_a_millionth, scale=1.0),
        healed=partial(_term_of_a_millionth, scale=2.0**22),
        good=0.85,
        **_U,
    ),
    Patient(
        name="recordings_in_volts_in_half",
        family="autoencoder",
        task="regression",
        training=partial(_microvolts, scale=1.0),
        healed=partial(_microvolts, scale=2.0**26),
        good=0.8,
        **_U,
    ),
    Patient(
        name="huge_temperature_in_half",
        family="embedding",
        task="classification",
        training=partial(_cold_distillation, scale=1.0),
        healed=partial(_cold_distillation, scale=2.0**20),
        good=0.85,
        **_U,
    ),
    Patient(
        name="norm_squares_in_half",
        family="mlp",
        task="classification",
        training=partial(_squares_in_half, careful=False),
        healed=partial(_squares_in_half, careful=True),
        good=0.85,
        label="fp16_overflow",
        also_true=frozenset({"nan_inf", "input_scaling", "vanishing_gradient"}),
    ),
    Patient(
        name="root_of_a_sum_in_half",
        family="autoencoder",
        task="regression",
        training=partial(_summed_in_half, careful=False),
        healed=partial(_summed_in_half, careful=True),
        good=0.75,
        label="fp16_overflow",
        also_true=frozenset({"nan_inf", "input_scaling", "vanishing_gradient"}),
    ),
    Patient(
        name="loss_scale_of_a_billion",
        family="cnn",
        task="classification",
        training=partial(_scale_of_a_billion, scale=2.0**33),
        healed=partial(_scale_of_a_billion, scale=2.0**8),
        good=0.85,
        label="fp16_overflow",
        also_true=frozenset({"nan_inf"}),
    ),
    Patient(
        name="attention_scores_in_half",
        family="transformer",
        task="classification",
        training=partial(_scores_in_half, divided=False),
        healed=partial(_scores_in_half, divided=True),
        good=0.85,
        **_NAN,
    ),
)
