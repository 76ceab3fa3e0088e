"""Ill: a sound network that is held back. Rates too low, schedules that stop too early, clipping, decay and dropout too strong."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ._sets import Split, accuracy, answer, digits, explained, friedman, images, minibatches, r_squared, rows, standardised, table, tokens, wave


class _Digits(nn.Module):
    def __init__(self, *, drop: float = 0.0, width: int = 80) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, width)
        self.bn = nn.LayerNorm(width)
        self.fc2 = nn.Linear(width, 10)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor) -> Any:
        return self.fc2(self.drop(F.gelu(self.bn(self.fc1(x)))))


def _digits(
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer], *, schedule: Callable[[torch.optim.Optimizer], Any] | None = None, drop: float = 0.0
) -> Training:
    data = digits()
    return Training(
        model=partial(_Digits, drop=drop),
        optimizer=make_optimizer,
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        scheduler=schedule,
        evaluate=accuracy(data),
    )


def _adam(lr: float, m: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(m.parameters(), lr=lr)


def _sgd(lr: float, m: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(m.parameters(), lr=lr, momentum=0.9)


def _decayed_sgd(decay: float, m: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(m.parameters(), lr=0.05, weight_decay=decay)


class _Words(nn.Module):
    """Embedding, one attention layer, one feed-forward layer; positions are not needed."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm = nn.LayerNorm(16)
        self.ff = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16))
        self.fc = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Any:
        h = self.embed(x)
        h = self.norm(h + self.attention(h, h, h, need_weights=False)[0])
        return self.fc((h + self.ff(h)).mean(1))


def _words(*, lr: float) -> Training:
    data = tokens()
    return Training(
        model=_Words,
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=lr, betas=(0.9, 0.98)),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=250,
        evaluate=accuracy(data),
    )


class _Filters(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.norm = nn.GroupNorm(4, 16)
        self.conv2 = nn.Conv2d(16, 24, 3, stride=2, padding=1)
        self.fc = nn.Linear(24 * 16, 10)

    def forward(self, x: Tensor) -> Any:
        x = F.silu(self.norm(self.conv1(x)))
        return self.fc(F.silu(self.conv2(x)).flatten(1))


def _filters(*, lr: float) -> Training:
    data = images()
    return Training(
        model=_Filters, optimizer=partial(_sgd, lr), loss=F.cross_entropy, batches=minibatches(data.x, data.y, 32), steps=200, evaluate=accuracy(data)
    )


def _adagrad_logistic(*, lr: float) -> Training:
    data = standardised(table("breast_cancer"))
    data = data._replace(y=data.y.float(), test_y=data.test_y.float())
    shuffled = data._replace(y=data.y * 2 - 1)
    return Training(
        model=lambda: nn.Linear(30, 1),
        optimizer=lambda m: torch.optim.Adagrad(m.parameters(), lr=lr),
        loss=lambda z, y: torch.log1p(torch.exp(-y * z.squeeze(1))).mean(),
        batches=minibatches(shuffled.x, shuffled.y, 32),
        steps=200,
        evaluate=lambda m: -float(F.binary_cross_entropy_with_logits(answer(m, data.test_x).squeeze(1), data.test_y)),
    )


def _clipped_digits(*, limit: float) -> Training:
    data = digits()
    return Training(
        model=partial(_Digits, width=60),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        clip_grad_norm=limit,
        evaluate=accuracy(data),
    )


def _clipped_by_value(*, limit: float) -> Training:
    data = friedman()

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = F.mse_loss(model(batch[0]).squeeze(-1), batch[1])
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), limit)
        optimizer.step()
        return loss

    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 1)),
        optimizer=partial(_sgd, 0.03),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=400,
        train_step=one_step,
        evaluate=r_squared(data),
    )


class _RowGRU(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.gru(x)[1].squeeze(0))


def _decayed_gru(*, decay: float) -> Training:
    data = rows()
    return Training(
        model=_RowGRU,
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=1e-2, weight_decay=decay),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 50),
        steps=250,
        evaluate=accuracy(data),
    )


def _step_schedule(period: int, optimizer: torch.optim.Optimizer) -> Any:
    return torch.optim.lr_scheduler.StepLR(optimizer, step_size=period, gamma=0.1)


def _exponential_wave(*, gamma: float) -> Training:
    data = wave()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(1, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1)),
        optimizer=partial(_adam, 5e-3),
        loss=nn.SmoothL1Loss(),
        batches=minibatches(data.x, data.y, 64),
        steps=400,
        scheduler=lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=gamma),
        evaluate=r_squared(data),
    )


class _Dropped(nn.Module):
    """Friedman's function through three dropout layers."""

    def __init__(self, *, rate: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(10, 64), nn.Linear(64, 64), nn.Linear(64, 64)])
        self.end = nn.Linear(64, 1)
        self.rate = rate

    def forward(self, x: Tensor) -> Any:
        for layer in self.layers:
            x = F.dropout(F.relu(layer(x)), self.rate, training=self.training)
        return self.end(x).squeeze(1)


def _dropped(*, rate: float) -> Training:
    data = friedman()
    return Training(
        model=partial(_Dropped, rate=rate),
        optimizer=partial(_adam, 3e-3),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 40),
        steps=400,
        evaluate=r_squared(data),
    )


def _l1_penalty(*, strength: float) -> Training:
    """An autoencoder with a hand-written L1 penalty on all its weights."""
    data: Split = digits()

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        x = batch[0]
        optimizer.zero_grad(set_to_none=False)
        loss: Tensor = ((model(x) - x) ** 2).sum(dim=1).mean()
        loss = loss + strength * sum((p.abs().sum() for p in model.parameters()), start=torch.zeros(()))
        loss.backward()
        optimizer.step()
        return loss

    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 12), nn.ReLU(), nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 64)),
        optimizer=partial(_adam, 4e-3),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.x, 50),
        steps=400,
        train_step=one_step,
        evaluate=lambda m: explained(data.test_x - data.x.mean(0), answer(m, data.test_x) - data.x.mean(0)),
    )


_C: dict[str, Any] = {"task": "classification"}
_R: dict[str, Any] = {"task": "regression"}
PATIENTS = (
    Patient(
        name="adam_at_a_millionth",
        label="lr_too_low",
        family="mlp",
        training=partial(_digits, partial(_adam, 1e-6)),
        healed=partial(_digits, partial(_adam, 2e-3)),
        good=0.9,
        **_C,
    ),
    Patient(name="filters_sgd_slow", label="lr_too_low", family="cnn", training=partial(_filters, lr=1e-5), healed=partial(_filters, lr=2e-2), good=0.9, **_C),
    Patient(
        name="words_adamw_slow", label="lr_too_low", family="transformer", training=partial(_words, lr=1e-5), healed=partial(_words, lr=5e-3), good=0.9, **_C
    ),
    Patient(
        name="adagrad_logistic_slow",
        label="lr_too_low",
        family="linear",
        training=partial(_adagrad_logistic, lr=1e-4),
        healed=partial(_adagrad_logistic, lr=0.1),
        good=-0.15,
        **_C,
    ),
    Patient(
        name="norm_clipped_to_a_thousandth",
        label="over_clipping",
        also_true=frozenset({"lr_too_low"}),
        family="mlp",
        training=partial(_clipped_digits, limit=1e-3),
        healed=partial(_clipped_digits, limit=10.0),
        good=0.85,
        **_C,
    ),
    Patient(
        name="values_clipped_to_nothing",
        label="over_clipping",
        also_true=frozenset({"lr_too_low"}),
        family="mlp",
        training=partial(_clipped_by_value, limit=1e-5),
        healed=partial(_clipped_by_value, limit=1.0),
        good=0.8,
        **_R,
    ),
    Patient(
        name="sgd_decay_of_one",
        label="over_decay",
        also_true=frozenset({"over_regularised"}),
        family="mlp",
        training=partial(_digits, partial(_decayed_sgd, 1.0)),
        healed=partial(_digits, partial(_decayed_sgd, 1e-4)),
        good=0.85,
        **_C,
    ),
    Patient(
        name="adamw_decay_on_a_gru",
        label="over_decay",
        also_true=frozenset({"over_regularised"}),
        family="rnn",
        training=partial(_decayed_gru, decay=40.0),
        healed=partial(_decayed_gru, decay=0.01),
        good=0.9,
        **_C,
    ),
    Patient(
        name="step_schedule_counted_in_batches",
        label="dead_schedule",
        also_true=frozenset({"lr_too_low"}),
        family="mlp",
        training=partial(_digits, partial(_sgd, 0.02), schedule=partial(_step_schedule, 3)),
        healed=partial(_digits, partial(_sgd, 0.02), schedule=partial(_step_schedule, 150)),
        good=0.85,
        **_C,
    ),
    Patient(
        name="exponential_schedule_every_step",
        label="dead_schedule",
        also_true=frozenset({"lr_too_low"}),
        family="mlp",
        training=partial(_exponential_wave, gamma=0.8),
        healed=partial(_exponential_wave, gamma=0.995),
        good=0.9,
        **_R,
    ),
    Patient(
        name="dropout_takes_nearly_all",
        label="over_regularised",
        family="mlp",
        training=partial(_dropped, rate=0.9),
        healed=partial(_dropped, rate=0.05),
        good=0.8,
        **_R,
    ),
    Patient(
        name="autoencoder_l1_on_all_weights",
        label="over_regularised",
        also_true=frozenset({"over_decay", "dead_units"}),
        family="autoencoder",
        training=partial(_l1_penalty, strength=0.05),
        healed=partial(_l1_penalty, strength=1e-5),
        good=0.5,
        **_R,
    ),
)
