"""Ill: NaN and infinity that one datum brings: an empty sentence, a broken measurement, a blank image."""

import math
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ._sets import accuracy, digits, friedman, minibatches, r_squared, tokens


class _Masked(nn.Module):
    """Single-head attention whose padding mask is written by hand."""

    def __init__(self, *, fill: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(12, 24, padding_idx=0)
        self.q, self.k, self.v = nn.Linear(24, 24), nn.Linear(24, 24), nn.Linear(24, 24)
        self.out = nn.Linear(24, 3)
        self.fill = fill

    def forward(self, x: Tensor) -> Any:
        h = self.embedding(x)
        scores = self.q(h) @ self.k(h).transpose(1, 2) / math.sqrt(24)
        scores = scores.masked_fill((x == 0).unsqueeze(1), self.fill)
        h = h + torch.softmax(scores, dim=-1) @ self.v(h)
        return self.out(h.mean(dim=1))


def _padded_attention(*, fill: float) -> Training:
    data = tokens()
    x = data.x.clone()
    x[37] = 0  # an empty sentence
    return Training(
        model=partial(_Masked, fill=fill),
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=5e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(x, data.y, 32),
        steps=250,
        evaluate=accuracy(data),
    )


def _broken_row(*, value: float, row: int) -> Training:
    data = friedman()
    x = data.x.clone()
    x[row, 2] = value
    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 50), nn.GELU(), nn.Linear(50, 50), nn.GELU(), nn.Linear(50, 1), nn.Flatten(0)),
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=3e-3),
        loss=nn.HuberLoss(),
        batches=minibatches(x, data.y, 30),
        steps=300,
        evaluate=r_squared(data),
    )


class _UnitLength(nn.Module):
    """Rows are divided by their length before the network sees them."""

    def __init__(self, *, eps: float) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 60), nn.LeakyReLU(), nn.Linear(60, 10))
        self.eps = eps

    def forward(self, x: Tensor) -> Any:
        return self.body(8 * x / (x.norm(dim=1, keepdim=True) + self.eps))


def _blank_image(*, eps: float) -> Training:
    data = digits()
    x = data.x.clone()
    x[100] = 0.0
    return Training(
        model=partial(_UnitLength, eps=eps),
        optimizer=lambda m: torch.optim.RMSprop(m.parameters(), lr=1e-3),
        loss=F.cross_entropy,
        batches=minibatches(x, data.y, 48),
        steps=250,
        evaluate=accuracy(data),
    )


_NAN: dict[str, Any] = {"label": "nan_inf"}
PATIENTS = (
    Patient(
        name="attention_row_fully_masked",
        family="transformer",
        task="classification",
        training=partial(_padded_attention, fill=-math.inf),
        healed=partial(_padded_attention, fill=-1e9),
        good=0.8,
        **_NAN,
    ),
    Patient(
        name="one_infinite_measurement",
        family="mlp",
        task="regression",
        training=partial(_broken_row, value=math.inf, row=77),
        healed=partial(_broken_row, value=0.0, row=77),
        good=0.85,
        **_NAN,
    ),
    Patient(
        name="blank_image_divided_by_its_norm",
        family="mlp",
        task="classification",
        training=partial(_blank_image, eps=0.0),
        healed=partial(_blank_image, eps=1e-6),
        good=0.85,
        **_NAN,
    ),
)
