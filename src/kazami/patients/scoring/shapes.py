"""Ill: activations nobody applies, and outputs and targets whose shapes broadcast against each other."""

import warnings
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ._sets import accuracy, friedman, minibatches, plane, r_squared, rings, running_sum, wave


class _Forgotten(nn.Module):
    """A network whose activations are called and thrown away, or used."""

    def __init__(self, *, use: bool) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(2, 32), nn.Linear(32, 32), nn.Linear(32, 2)
        self.use = use

    def forward(self, x: Tensor) -> Any:
        x = self.a(x)
        y = F.relu(x)
        x = y if self.use else x
        x = self.b(x)
        y = F.relu(x)
        x = y if self.use else x
        return self.c(x)


def _discarded_relu(*, use: bool) -> Training:
    data = rings()
    return Training(
        model=partial(_Forgotten, use=use),
        optimizer=lambda m: torch.optim.RMSprop(m.parameters(), lr=3e-3),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 50),
        steps=250,
        evaluate=accuracy(data),
    )


def _stacked_linear(act: type[nn.Module]) -> Training:
    data = wave()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(1, 64), act(), nn.Linear(64, 64), act(), nn.Linear(64, 64), act(), nn.Linear(64, 1)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 64),
        steps=400,
        evaluate=r_squared(data),
    )


def _own_mse(*, squeeze: bool) -> Training:
    data = friedman()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=lambda pred, y: (((pred.squeeze(1) if squeeze else pred) - y) ** 2).mean(),
        batches=minibatches(data.x, data.y, 50),
        steps=300,
        evaluate=r_squared(data),
    )


def _quiet_l1(pred: Tensor, y: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return F.mse_loss(pred, y)


def _linear_column(*, column: bool) -> Training:
    data = plane()
    y = data.y if column else data.y.squeeze(1)
    return Training(
        model=lambda: nn.Linear(8, 1),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05),
        loss=_quiet_l1,
        batches=minibatches(data.x, y, 40),
        steps=250,
        evaluate=r_squared(data),
    )


class _Summer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Any:
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])[:, 0]


def _row_against_column(*, flat: bool) -> Training:
    data = running_sum()
    return Training(
        model=_Summer,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-2),
        loss=lambda pred, y: torch.abs(pred - y).mean(),
        batches=minibatches(data.x, data.y.flatten() if flat else data.y, 50),
        steps=300,
        evaluate=r_squared(data),
    )


_C: dict[str, Any] = {"task": "classification"}
_R: dict[str, Any] = {"task": "regression"}
PATIENTS = (
    Patient(
        name="relu_result_discarded",
        label="no_nonlinearity",
        family="mlp",
        training=partial(_discarded_relu, use=False),
        healed=partial(_discarded_relu, use=True),
        good=0.9,
        **_C,
    ),
    Patient(
        name="stacked_linear_on_a_wave",
        label="no_nonlinearity",
        family="mlp",
        training=partial(_stacked_linear, nn.Identity),
        healed=partial(_stacked_linear, nn.Tanh),
        good=0.9,
        **_R,
    ),
    Patient(
        name="own_mse_column_minus_row",
        label="target_broadcast",
        family="mlp",
        training=partial(_own_mse, squeeze=False),
        healed=partial(_own_mse, squeeze=True),
        good=0.8,
        **_R,
    ),
    Patient(
        name="linear_regression_flat_target",
        label="target_broadcast",
        family="linear",
        training=partial(_linear_column, column=False),
        healed=partial(_linear_column, column=True),
        good=0.9,
        **_R,
    ),
    Patient(
        name="lstm_row_minus_column",
        label="target_broadcast",
        family="lstm",
        training=partial(_row_against_column, flat=False),
        healed=partial(_row_against_column, flat=True),
        good=0.8,
        **_R,
    ),
)
