"""Healthy: ordinary trainings of recurrent networks and transformers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ._sets import (
    accuracy,
    minibatches,
    r_squared,
    rows,
    running_sum,
    tokens,
)


class _RowReader(nn.Module):
    """A recurrent layer over image rows; the last state is classified."""

    def __init__(self, kind: Callable[..., nn.RNNBase], *, layers: int = 1) -> None:
        super().__init__()
        self.reader = kind(8, 32, num_layers=layers, batch_first=True)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.reader(x)[0][:, -1])


def _reader(kind: Callable[..., nn.RNNBase], make_optimizer: Callable[[nn.Module], torch.optim.Optimizer], *, clip: float | None, layers: int = 1) -> Training:
    data = rows()
    return Training(
        model=partial(_RowReader, kind, layers=layers),
        optimizer=make_optimizer,
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        clip_grad_norm=clip,
        evaluate=accuracy(data),
    )


class _TextEncoder(nn.Module):
    """Token and position embedding, a pre-norm transformer layer, the first token's answer."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.position = nn.Embedding(12, 32), nn.Embedding(11, 32)
        self.layer = nn.TransformerEncoderLayer(32, nhead=4, dim_feedforward=64, dropout=0.1, batch_first=True, norm_first=True)
        self.fc = nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Any:
        x = F.pad(x, (1, 0))
        return self.fc(self.layer(self.token(x) + self.position(torch.arange(x.shape[1])))[:, 0])


def _warmed_transformer() -> Training:
    data = tokens()

    def schedule(optimizer: torch.optim.Optimizer) -> Any:
        warm = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=40)
        cool = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=210)
        return torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, cool], milestones=[40])

    return Training(
        model=_TextEncoder,
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=3e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=250,
        scheduler=schedule,
        clip_grad_norm=1.0,
        evaluate=accuracy(data),
    )


class _Sum(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.lstm(x)[1][0][-1])


def _lstm_sum() -> Training:
    data = running_sum()
    return Training(
        model=_Sum,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 30),
        steps=300,
        evaluate=r_squared(data),
    )


def _adam(lr: float, m: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(m.parameters(), lr=lr)


_C: dict[str, Any] = {"label": None, "task": "classification"}
_R: dict[str, Any] = {"label": None, "task": "regression"}
PATIENTS = (
    Patient(name="gru_reads_rows", family="rnn", training=partial(_reader, nn.GRU, partial(_adam, 4e-3), clip=None), good=0.85, **_C),
    Patient(name="two_layer_lstm_clipped", family="lstm", training=partial(_reader, nn.LSTM, partial(_adam, 5e-3), clip=1.0, layers=2), good=0.85, **_C),
    Patient(name="plain_rnn_reads_rows", family="rnn", training=partial(_reader, nn.RNN, partial(_adam, 3e-3), clip=1.0), good=0.85, **_C),
    Patient(name="transformer_warm_up_and_cosine", family="transformer", training=_warmed_transformer, good=0.9, **_C),
    Patient(name="lstm_running_sum", family="lstm", training=_lstm_sum, good=0.9, **_R),
)
