"""One batch of each epoch that throws the training off its course, and leaps of the loss that do no harm."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, mlp
from ..data import Data
from .more_tasks import adam, classify, regress, sgd

Change = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def _with_one_bad_batch(d: Data, size: int, at: int, change: Change | None) -> Callable[[], Iterator[tuple[Any, Any]]]:
    """Return batches in an order that never changes, the one number ``at`` (from 0) changed."""

    def make() -> Iterator[tuple[Any, Any]]:
        order = torch.from_numpy(np.random.default_rng(0).permutation(len(d.x)))
        for number, first in enumerate(range(0, len(d.x) - size + 1, size)):
            chosen = order[first : first + size]
            batch = d.x[chosen], d.y[chosen]
            yield change(*batch) if number == at and change is not None else batch

    return make


def _forgotten_division(is_ill: bool) -> Training:
    """One file of images was stored in other units."""
    d = data.digits()
    bad = _with_one_bad_batch(d, 32, 24, (lambda x, y: (100 * x, y)) if is_ill else None)
    return classify(d, lambda: mlp((64, 64, 10)), sgd(0.1, momentum=0.9), 300, batches=bad)


def _targets_in_other_units(is_ill: bool) -> Training:
    d = data.friedman()
    bad = _with_one_bad_batch(d, 15, 17, (lambda x, y: (x, 300 * y)) if is_ill else None)
    return regress(d, lambda: mlp((10, 48, 48, 1)), adam(0.005), 400, batches=bad)


def _failing_sensor(is_ill: bool) -> Training:
    d = data.waves()
    bad = _with_one_bad_batch(d, 15, 17, (lambda x, y: (1000 * x, 1000 * y)) if is_ill else None)
    return regress(d, lambda: SequenceReader(1, 24, 1, cell="gru"), sgd(0.05, momentum=0.9), 400, batches=bad)


def _larger_images() -> Training:
    """Images three times as bright in one batch of the epoch: a leap that is over at once."""
    d = data.digits()
    return classify(d, lambda: mlp((64, 64, 10)), sgd(0.1, momentum=0.9), 300, batches=_with_one_bad_batch(d, 32, 24, lambda x, y: (3 * x, y)))


def _hard_batch() -> Training:
    """One batch of the epoch has wrong labels: its loss leaps each time, that of the others does not care."""
    d = data.digits()
    return classify(d, lambda: mlp((64, 64, 10)), adam(0.003), 300, batches=_with_one_bad_batch(d, 32, 24, lambda x, y: (x, (y + 1) % 10)))


def _one_by_one() -> Training:
    """Batches of one sample: losses with a heavy tail."""
    return regress(data.friedman(), lambda: mlp((10, 48, 1)), sgd(0.01), 600, size=1)


def _healthy(name: str, make: Any, good: float, task: Any = "classification") -> Patient:
    return Patient(name=name, label=None, family="mlp", task=task, training=make, good=good, near_boundary=True)


PATIENTS = (
    Patient(
        name="one_batch_not_divided",
        label="loss_spike",
        family="mlp",
        task="classification",
        also_true=frozenset({"exploding_gradient"}),
        training=partial(_forgotten_division, True),
        healed=partial(_forgotten_division, False),
        good=0.9,
    ),
    Patient(
        name="one_batch_of_targets_in_other_units",
        label="loss_spike",
        family="mlp",
        task="regression",
        also_true=frozenset({"target_scaling"}),
        training=partial(_targets_in_other_units, True),
        healed=partial(_targets_in_other_units, False),
        good=0.8,
    ),
    Patient(
        name="sensor_that_fails_in_one_batch",
        label="loss_spike",
        family="gru",
        task="regression",
        also_true=frozenset({"target_scaling", "exploding_gradient", "saturated", "nan_inf"}),
        training=partial(_failing_sensor, True),
        healed=partial(_failing_sensor, False),
        good=0.9,
    ),
    _healthy("one_bright_batch", _larger_images, 0.85),
    _healthy("one_mislabelled_batch", _hard_batch, 0.9),
    _healthy("samples_one_by_one", _one_by_one, 0.6, "regression"),
)
