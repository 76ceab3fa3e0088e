"""Settings that hold a training back: clipping, decay, a schedule that dies, too much dropout, steps that bounce for ever."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import lr_scheduler

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, SmallCnn, TinyTransformer, mlp
from .more_tasks import adam, adamw, classify, regress, rmsprop, sgd


def _clipped_images(limit: float) -> Training:
    return classify(data.digit_images(), SmallCnn, sgd(0.1), 300, clip_grad_norm=limit)


def _clipped_windows(limit: float) -> Training:
    return regress(data.waves(), lambda: SequenceReader(1, 24, 1, cell="gru"), sgd(0.05, momentum=0.9), 300, clip_grad_norm=limit)


def _decayed_cells(decay: float) -> Training:
    return classify(data.breast_cancer(), lambda: mlp((30, 32, 2)), sgd(0.1, weight_decay=decay), 250)


def _decayed_digits(decay: float) -> Training:
    return classify(data.digits(), lambda: mlp((64, 64, 10)), adam(0.003, weight_decay=decay), 250)


def _decayed_surface(decay: float) -> Training:
    return regress(data.friedman(), lambda: mlp((10, 64, 1)), adamw(0.005, weight_decay=decay), 400)


def _fading(gamma: float) -> Training:
    def schedule(optimizer: torch.optim.Optimizer) -> Any:
        return lr_scheduler.ExponentialLR(optimizer, gamma)

    return classify(data.reversed_tokens(), lambda: TinyTransformer(8, 6, 8, per_token=True), adam(0.003), 250, scheduler=schedule)


def _falls_to_zero(n_steps: int) -> Training:
    def schedule(optimizer: torch.optim.Optimizer) -> Any:
        return lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1.0 - step / n_steps))

    return classify(data.digit_images(), SmallCnn, sgd(0.05), 400, scheduler=schedule)


def _dropped(share: float) -> Training:
    return classify(data.digits(), lambda: mlp((64, 32, 32, 10), dropout=share), sgd(0.05, momentum=0.9), 300)


def _penalised_step(weight: float, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
    optimizer.zero_grad()
    loss = F.mse_loss(model(batch[0]), batch[1]) + weight * torch.stack([parameter.abs().sum() for parameter in model.parameters()]).sum()
    loss.backward()
    optimizer.step()
    return loss


def _penalised(weight: float) -> Training:
    return regress(data.friedman(), lambda: mlp((10, 32, 32, 1)), rmsprop(0.002), 300, train_step=partial(_penalised_step, weight))


def _bouncing(rate: float) -> Training:
    return regress(data.diabetes(), lambda: nn.Linear(10, 1), sgd(rate), 150, size=None, loss=F.huber_loss)


PATIENTS = (
    Patient(
        name="images_clipped_to_a_thousandth",
        label="over_clipping",
        family="cnn",
        task="classification",
        good=0.8,
        also_true=frozenset({"lr_too_low"}),
        training=partial(_clipped_images, 1e-3),
        healed=partial(_clipped_images, 1.0),
    ),
    Patient(
        name="wave_windows_clipped_too_hard",
        label="over_clipping",
        family="gru",
        task="regression",
        good=0.9,
        also_true=frozenset({"lr_too_low"}),
        training=partial(_clipped_windows, 1e-3),
        healed=partial(_clipped_windows, 1.0),
    ),
    Patient(
        name="cells_decayed_by_one",
        label="over_decay",
        family="mlp",
        task="classification",
        good=0.95,
        also_true=frozenset({"over_regularised"}),
        training=partial(_decayed_cells, 1.0),
        healed=partial(_decayed_cells, 1e-4),
    ),
    Patient(
        name="digits_adam_decayed_by_ten",
        label="over_decay",
        family="mlp",
        task="classification",
        good=0.85,
        also_true=frozenset({"over_regularised"}),
        training=partial(_decayed_digits, 10.0),
        healed=partial(_decayed_digits, 1e-4),
    ),
    Patient(
        name="surface_adamw_decayed_by_ten",
        label="over_decay",
        family="mlp",
        task="regression",
        good=0.8,
        also_true=frozenset({"over_regularised"}),
        training=partial(_decayed_surface, 10.0),
        healed=partial(_decayed_surface, 0.01),
    ),
    Patient(
        name="backwards_fading_by_a_tenth_per_step",
        label="dead_schedule",
        family="transformer",
        task="classification",
        good=0.6,
        also_true=frozenset({"lr_too_low"}),
        training=partial(_fading, 0.9),
        healed=partial(_fading, 0.999),
    ),
    Patient(
        name="images_rate_zero_after_thirty_steps",
        label="dead_schedule",
        family="cnn",
        task="classification",
        good=0.8,
        also_true=frozenset({"lr_too_low"}),
        training=partial(_falls_to_zero, 30),
        healed=partial(_falls_to_zero, 400),
    ),
    Patient(
        name="digits_nine_tenths_dropped",
        label="over_regularised",
        family="mlp",
        task="classification",
        good=0.85,
        also_true=frozenset({"dead_units"}),
        training=partial(_dropped, 0.9),
        healed=partial(_dropped, 0.1),
    ),
    Patient(
        name="surface_under_an_absolute_penalty",
        label="over_regularised",
        family="mlp",
        task="regression",
        good=0.7,
        also_true=frozenset({"over_decay", "trivial_solution"}),
        training=partial(_penalised, 0.1),
        healed=partial(_penalised, 1e-5),
    ),
    Patient(
        name="huber_line_bounces_for_ever",
        label="oscillating_loss",
        family="linear",
        task="regression",
        good=0.4,
        also_true=frozenset({"lr_too_high"}),
        training=partial(_bouncing, 3.0),
        healed=partial(_bouncing, 0.2),
    ),
)
