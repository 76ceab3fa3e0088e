"""Ill: single batches throw the run back and it never makes up for it: corrupt shards, slipped units, sums over long rows, a glitch near the end."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ..blocks import SmallCnn, mlp
from ._recipes import adam, by, sgd
from ._sets import accuracy, friedman, images, minibatches, r_squared, rows, running_sum

Change = Callable[[Tensor, Tensor], Batch]


def _now_and_then(batches: Callable[[], Iterator[Batch]], change: Change, *, every: int, first: int = 0) -> Callable[[], Iterator[Batch]]:
    """Return the same batches with every ``every``-th one, from number ``first`` on, changed."""

    def make() -> Iterator[Batch]:
        for i, (x, y) in enumerate(batches()):
            yield change(x, y) if i >= first and i % every == every - 1 else (x, y)

    return make


def _bad_shard(*, factor: float) -> Training:
    """Every twentieth batch comes from a shard whose pixels were never divided; Adam's second moment remembers it."""
    data = images()
    return Training(
        model=partial(SmallCnn, 8),
        optimizer=adam(2e-3),
        loss=F.cross_entropy,
        batches=_now_and_then(minibatches(data.x, data.y, 32), lambda x, y: (factor * x, y), every=20),
        steps=400,
        evaluate=accuracy(data),
    )


def _slipped_unit(*, factor: float) -> Training:
    """One batch in fifteen has its targets in another unit."""
    data = friedman()
    return Training(
        model=lambda: mlp((10, 48, 48, 1), nn.Tanh, output=nn.Flatten(0)),
        optimizer=sgd(0.02, 0.9),
        loss=F.mse_loss,
        batches=_now_and_then(minibatches(data.x, data.y, 50), lambda x, y: (x, factor * y), every=15),
        steps=400,
        evaluate=r_squared(data),
    )


class _Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.gru(x)[1][-1])


def _weighted_rows(*, weight: float) -> Training:
    """A sampler's importance weight is now and then fifty, and the weight goes into the loss as it is."""
    data = rows()
    batches = minibatches(data.x, data.y, 40)

    def make() -> Iterator[Batch]:
        for i, (x, y) in enumerate(batches()):
            yield x, (y, torch.full((len(y),), weight if i % 18 == 11 else 1.0))

    return Training(
        model=_Reader,
        optimizer=by(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
        loss=lambda out, y: (y[1] * F.cross_entropy(out, y[0], reduction="none")).mean(),
        batches=make,
        steps=350,
        evaluate=accuracy(data),
    )


class _Forecaster(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.lstm(x)[0][:, -1])


def _glitch_near_the_end(*, factor: float) -> Training:
    """One sensor glitch, sixty steps before the end, and gradient descent walks far away in a few steps."""
    data = running_sum()
    return Training(
        model=_Forecaster,
        optimizer=sgd(0.05, 0.9),
        loss=F.mse_loss,
        batches=_now_and_then(minibatches(data.x, data.y, 32), lambda x, t: (factor * x, factor * t), every=441),
        steps=500,
        evaluate=r_squared(data),
    )


PATIENTS = (
    Patient(
        name="a_shard_of_bytes_among_unit_pixels",
        label="loss_spike",
        also_true=frozenset({"input_scaling", "exploding_gradient"}),
        family="cnn",
        task="classification",
        training=partial(_bad_shard, factor=400.0),
        healed=partial(_bad_shard, factor=1.0),
        good=0.9,
    ),
    Patient(
        name="now_and_then_the_wrong_unit",
        label="loss_spike",
        also_true=frozenset({"target_scaling", "exploding_gradient", "saturated"}),
        family="mlp",
        task="regression",
        training=partial(_slipped_unit, factor=30.0),
        healed=partial(_slipped_unit, factor=1.0),
        good=0.85,
    ),
    Patient(
        name="unbounded_importance_weights",
        label="loss_spike",
        also_true=frozenset({"exploding_gradient", "saturated"}),
        family="rnn",
        task="classification",
        training=partial(_weighted_rows, weight=50.0),
        healed=partial(_weighted_rows, weight=1.0),
        good=0.85,
    ),
    Patient(
        name="glitch_sixty_steps_before_the_end",
        label="loss_spike",
        also_true=frozenset({"exploding_gradient", "saturated"}),
        family="lstm",
        task="regression",
        training=partial(_glitch_near_the_end, factor=300.0),
        healed=partial(_glitch_near_the_end, factor=1.0),
        good=0.9,
    ),
)
