"""Ill: what was trained is not what is used. Running statistics that lag or jump, dropout that never ends, a step only one mode takes."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ._recipes import adam, adamw
from ._sets import Split, accuracy, digits, friedman, images, minibatches, r_squared, rows


def _lagging_statistics(*, momentum: float) -> Training:
    """BatchNorm's momentum written in the convention of another framework's small number."""
    data = images()

    def make() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 12, 3),
            nn.BatchNorm2d(12, momentum=momentum),
            nn.Tanh(),
            nn.Conv2d(12, 16, 3),
            nn.BatchNorm2d(16, momentum=momentum),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(256, 10),
        )

    return Training(
        model=make,
        optimizer=adam(3e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(0.02 * data.x, data.y, 40),
        steps=150,
        evaluate=accuracy(data._replace(test_x=0.02 * data.test_x)),
    )


def _last_batch_only(*, momentum: float) -> Training:
    """Momentum 0.99 as in the other convention, batches of six: the statistics are those of the last six rows."""
    data = friedman(2400)

    def block(n_in: int) -> list[nn.Module]:
        return [nn.Linear(n_in, 48), nn.BatchNorm1d(48, momentum=momentum), nn.Tanh()]

    return Training(
        model=lambda: nn.Sequential(*block(10), *block(48), *block(48), nn.Linear(48, 1), nn.Flatten(0)),
        optimizer=adam(3e-3),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 6),
        steps=600,
        evaluate=r_squared(data),
    )


def _sorted_batches(data: Split, size: int) -> Callable[[], Iterator[Batch]]:
    """Return batches of one class each, classes in turn, as a loader over sorted folders gives them."""

    def make() -> Iterator[Batch]:
        source = torch.Generator().manual_seed(71)
        for _ in range(60):
            for label in range(int(data.y.max()) + 1):
                members = (data.y == label).nonzero().squeeze(1)
                chosen = members[torch.randint(len(members), (size,), generator=source)]
                yield data.x[chosen], data.y[chosen]

    return make


def _folders_in_turn(*, shuffled: bool) -> Training:
    data = digits()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)),
        optimizer=adam(1e-3),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 32) if shuffled else _sorted_batches(data, 32),
        steps=300,
        evaluate=accuracy(data),
    )


class _AlwaysDropping(nn.Module):
    """Functional dropout; its default is to drop, in eval mode too."""

    def __init__(self, *, always: bool) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(10, 64), nn.Linear(64, 64), nn.Linear(64, 1)
        self.always = always

    def forward(self, x: Tensor) -> Any:
        dropping = self.always or self.training
        x = F.dropout(F.relu(self.fc1(x)), 0.4, training=dropping)
        x = F.dropout(F.relu(self.fc2(x)), 0.4, training=dropping)
        return self.fc3(x).squeeze(1)


def _dropout_never_ends(*, always: bool) -> Training:
    data = friedman(2400)
    return Training(
        model=partial(_AlwaysDropping, always=always),
        optimizer=adamw(3e-3),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 60),
        steps=400,
        evaluate=r_squared(data),
    )


class _ScaledInTraining(nn.Module):
    """A reader of rows that was told to standardise its input only while training."""

    def __init__(self, *, only_training: bool) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 10)
        self.only_training = only_training

    def forward(self, x: Tensor) -> Any:
        standardised = self.training or not self.only_training
        x = (x - 0.3) / 0.37 if standardised else x * 16
        return self.fc(self.gru(x)[1][-1])


def _scaled_in_training(*, only_training: bool) -> Training:
    data = rows()
    return Training(
        model=partial(_ScaledInTraining, only_training=only_training),
        optimizer=adam(5e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=250,
        evaluate=accuracy(data),
    )


_C: dict[str, Any] = {"label": "train_eval_mismatch", "task": "classification"}
PATIENTS = (
    Patient(
        name="running_statistics_hardly_run",
        family="cnn",
        training=partial(_lagging_statistics, momentum=1e-5),
        healed=partial(_lagging_statistics, momentum=0.1),
        good=0.8,
        **_C,
    ),
    Patient(
        name="statistics_of_the_last_six_rows",
        label="train_eval_mismatch",
        family="mlp",
        task="regression",
        training=partial(_last_batch_only, momentum=0.99),
        healed=partial(_last_batch_only, momentum=0.02),
        good=0.68,
    ),
    Patient(
        name="one_folder_after_the_other",
        family="mlp",
        training=partial(_folders_in_turn, shuffled=False),
        healed=partial(_folders_in_turn, shuffled=True),
        good=0.9,
        **_C,
    ),
    Patient(
        name="functional_dropout_never_ends",
        label="train_eval_mismatch",
        also_true=frozenset({"over_regularised"}),
        family="mlp",
        task="regression",
        training=partial(_dropout_never_ends, always=True),
        healed=partial(_dropout_never_ends, always=False),
        good=0.9,
    ),
    Patient(
        name="pixels_scaled_in_training_only",
        family="rnn",
        training=partial(_scaled_in_training, only_training=True),
        healed=partial(_scaled_in_training, only_training=False),
        good=0.9,
        **_C,
    ),
)
