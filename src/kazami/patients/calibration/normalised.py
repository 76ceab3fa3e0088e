"""Batch normalisation that is another function in evaluation, and some that only looks like it for a while."""

from functools import partial
from typing import Any

from torch import nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SmallCnn, mlp
from .more_tasks import adam, classify, regress, sgd
from .validating import Validates


def _pairs(size: int) -> Training:
    """Two samples a batch: each channel becomes +1 and -1."""
    return classify(data.digits(), lambda: mlp((64, 48, 48, 10), norm=nn.BatchNorm1d), adam(0.003), 400, size=size)


def _long_memory(momentum: float) -> Training:
    """Pixels 0..16 and statistics that need a thousand steps."""

    def model() -> nn.Module:
        network = SmallCnn(norm=True)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = momentum
        return network

    return classify(data.digit_images(scale="raw"), model, adam(0.003), 120)


def _micrometres(scale: float) -> Training:
    """Inputs in units so large that their variance drowns in epsilon."""
    d = data.friedman().with_inputs(lambda x: x * scale)
    return regress(d, lambda: nn.Sequential(nn.BatchNorm1d(10), mlp((10, 32, 32, 1))), sgd(0.05, momentum=0.9), 300)


def _validated(momentum: float) -> Training:
    """Raw features, normalised by the statistics of nothing whenever they are evaluated."""
    d = data.breast_cancer(scale="raw")
    step, norm = Validates(F.cross_entropy, d, 10), partial(nn.BatchNorm1d, momentum=momentum)
    return classify(d, lambda: nn.Sequential(norm(30), mlp((30, 32, 2))), sgd(0.05, momentum=0.9), 150, train_step=step)


def _slow_but_arrives() -> Training:
    """A memory of a hundred steps, and four hundred steps."""
    norm = partial(nn.BatchNorm1d, momentum=0.01)
    return classify(data.digits(scale="raw"), lambda: mlp((64, 48, 48, 10), norm=norm), adam(0.003), 400)


def _fours() -> Training:
    return classify(data.digits(), lambda: mlp((64, 48, 48, 10), norm=nn.BatchNorm1d), adam(0.001), 600, size=4)


def _hundredths() -> Training:
    """A variance ten times epsilon, and running statistics that start a thousand times too large."""
    d = data.friedman().with_inputs(lambda x: x * 0.01)
    return regress(d, lambda: nn.Sequential(nn.BatchNorm1d(10), mlp((10, 32, 32, 1))), adam(0.003), 400)


def _fast_and_normalised() -> Training:
    """Steps as long as the normalisation bears."""
    return classify(data.breast_cancer(), lambda: mlp((30, 64, 2), norm=nn.BatchNorm1d), sgd(0.5, momentum=0.9), 200)


def _healthy(name: str, make: Any, good: float, task: Any = "classification") -> Patient:
    return Patient(name=name, label=None, family="mlp", task=task, training=make, good=good, near_boundary=True)


PATIENTS = (
    Patient(
        name="normalised_in_pairs",
        label="train_eval_mismatch",
        family="mlp",
        task="classification",
        training=partial(_pairs, 2),
        healed=partial(_pairs, 32),
        good=0.85,
    ),
    Patient(
        name="images_with_a_long_memory",
        label="train_eval_mismatch",
        family="cnn",
        task="classification",
        training=partial(_long_memory, 1e-3),
        healed=partial(_long_memory, 0.1),
        good=0.85,
    ),
    Patient(
        name="variance_below_epsilon",
        label="train_eval_mismatch",
        family="mlp",
        task="regression",
        also_true=frozenset({"input_scaling", "dead_units"}),
        training=partial(_micrometres, 1e-5),
        healed=partial(_micrometres, 1.0),
        good=0.7,
    ),
    Patient(
        name="raw_cells_validated_on_their_start",
        label="train_eval_mismatch",
        family="mlp",
        task="classification",
        also_true=frozenset({"input_scaling"}),
        training=partial(_validated, 1e-4),
        healed=partial(_validated, 0.1),
        good=0.9,
    ),
    _healthy("statistics_that_arrive_late", _slow_but_arrives, 0.95),
    _healthy("normalised_in_fours", _fours, 0.85),
    _healthy("inputs_of_hundredths_normalised", _hundredths, 0.75, "regression"),
    _healthy("fast_and_normalised", _fast_and_normalised, 0.9),
)
