"""Ill: inputs and targets in raw units."""

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ._sets import (
    accuracy,
    digits,
    friedman,
    full_batch,
    minibatches,
    plane,
    r_squared,
    scaled_target,
    sign_accuracy,
    standardised,
    table,
)


class _SmallNet(nn.Module):
    """Two hidden layers and one number."""

    def __init__(self, *, n_in: int, width: int = 64) -> None:
        super().__init__()
        self.fc1 = nn.Linear(n_in, width)
        self.fc2 = nn.Linear(width, width)
        self.fc3 = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Any:
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x).flatten()


class _ConvNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten())
        self.classifier = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Any:
        return self.classifier(self.features(x))


def _wine_softmax_regression(*, raw: bool) -> Training:
    data = table("wine") if raw else standardised(table("wine"))
    return Training(
        model=lambda: nn.Linear(13, 3),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 16),
        steps=400,
        evaluate=accuracy(data),
    )


def _with_a_date(*, unit: float) -> Training:
    """One feature of ten is a time stamp, in seconds or in units of its own spread."""
    data = friedman()
    stamp, test_stamp = torch.linspace(-1, 1, len(data.x)), torch.linspace(-1, 1, len(data.test_x))
    shift = 1.7e3 if unit > 1 else 0.0
    x = torch.cat([data.x, ((stamp + shift) * unit).unsqueeze(1)], 1)
    test_x = torch.cat([data.test_x, ((test_stamp + shift) * unit).unsqueeze(1)], 1)
    data = data._replace(x=x, test_x=test_x)
    return Training(
        model=partial(_SmallNet, n_in=11),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=400,
        evaluate=r_squared(data),
    )


def _bytes(*, divide: float) -> Training:
    data = digits()
    shape = (-1, 1, 8, 8)
    data = data._replace(x=(data.x * 255 / divide).view(shape), test_x=(data.test_x * 255 / divide).view(shape))
    return Training(
        model=_ConvNet,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=200,
        evaluate=accuracy(data),
    )


def _tumours_raw(*, raw: bool) -> Training:
    data = table("breast_cancer") if raw else standardised(table("breast_cancer"))
    data = data._replace(y=data.y.float(), test_y=data.test_y.float())
    return Training(
        model=lambda: nn.Sequential(nn.Linear(30, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9),
        loss=F.binary_cross_entropy_with_logits,
        batches=minibatches(data.x, data.y, 32),
        steps=300,
        evaluate=sign_accuracy(data),
    )


def _house_prices(*, factor: float, shift: float) -> Training:
    data = scaled_target(friedman(), factor=factor, shift=shift)
    return Training(
        model=lambda: _SmallNet(n_in=10),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-3),
        loss=nn.L1Loss() if shift else nn.MSELoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=500,
        evaluate=r_squared(data),
    )


def _linear_target(*, factor: float) -> Training:
    """A small network under full-batch gradient descent, its target in its own unit or multiplied."""
    data = scaled_target(plane(), factor=factor)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(8, 24), nn.Tanh(), nn.Linear(24, 1)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1),
        loss=nn.MSELoss(),
        batches=full_batch(data.x, data.y),
        steps=300,
        evaluate=r_squared(data),
    )


_C: dict[str, Any] = {"task": "classification"}
_R: dict[str, Any] = {"task": "regression"}
PATIENTS = (
    Patient(
        name="wine_in_raw_units",
        label="input_scaling",
        also_true=frozenset({"lr_too_high", "oscillating_loss"}),
        family="linear",
        training=partial(_wine_softmax_regression, raw=True),
        healed=partial(_wine_softmax_regression, raw=False),
        good=0.9,
        **_C,
    ),
    Patient(
        name="a_time_stamp_among_the_features",
        label="input_scaling",
        family="mlp",
        training=partial(_with_a_date, unit=1e6),
        healed=partial(_with_a_date, unit=1.0),
        good=0.85,
        **_R,
    ),
    Patient(
        name="bytes_not_divided_by_255",
        label="input_scaling",
        also_true=frozenset({"lr_too_high", "dead_units", "exploding_gradient"}),
        family="cnn",
        training=partial(_bytes, divide=1.0),
        healed=partial(_bytes, divide=255.0),
        good=0.85,
        **_C,
    ),
    Patient(
        name="tumours_in_raw_units_tanh",
        label="input_scaling",
        also_true=frozenset({"saturated"}),
        family="mlp",
        training=partial(_tumours_raw, raw=True),
        healed=partial(_tumours_raw, raw=False),
        good=0.93,
        **_C,
    ),
    Patient(
        name="prices_in_hundred_thousands",
        label="target_scaling",
        also_true=frozenset({"lr_too_low"}),
        family="mlp",
        training=partial(_house_prices, factor=5e4, shift=3e5),
        healed=partial(_house_prices, factor=1.0, shift=0.0),
        good=0.85,
        **_R,
    ),
    Patient(
        name="targets_in_thousands_adam",
        label="target_scaling",
        also_true=frozenset({"lr_too_low"}),
        family="mlp",
        training=partial(_house_prices, factor=3e3, shift=0.0),
        healed=partial(_house_prices, factor=1.0, shift=0.0),
        good=0.85,
        **_R,
    ),
    Patient(
        name="large_targets_blow_up_sgd",
        label="target_scaling",
        also_true=frozenset({"lr_too_high", "saturated", "exploding_gradient", "nan_inf", "oscillating_loss"}),
        family="mlp",
        training=partial(_linear_target, factor=1e3),
        healed=partial(_linear_target, factor=1.0),
        good=0.9,
        **_R,
    ),
)
