"""Knobs of the training loop turned too far: clipping, decay, schedule, dropout, momentum, the memory of a BatchNorm."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _clipped(largest_norm: float = 1e-3) -> Training:
    d = data.digits()
    return Training(
        model=lambda: blocks.mlp([64, 64, 10], nn.GELU),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 32, seed=71),
        steps=300,
        clip_grad_norm=largest_norm,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _decayed(weight_decay: float = 0.3) -> Training:
    d = data.digits()
    return Training(
        model=lambda: blocks.mlp([64, 64, 64, 10]),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, weight_decay=weight_decay),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 32, seed=72),
        steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _decayed_gru(weight_decay: float = 30.0) -> Training:
    d = data.waves(length=16)
    return Training(
        model=lambda: blocks.SequenceReader(1, 24, 1, cell="gru"),
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=5e-3, weight_decay=weight_decay),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 30, seed=73),
        steps=250,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _scheduled(gamma: float = 0.9) -> Training:
    """A decay meant for epochs, applied at every step."""
    d = data.friedman()
    return Training(
        model=lambda: blocks.mlp([10, 48, 48, 1], nn.SiLU),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        scheduler=lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=gamma),
        loss=nn.MSELoss(),
        batches=data.minibatches(d.x, d.y, 25, seed=74),
        steps=400,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _stepped(every: int = 2) -> Training:
    """StepLR stepped per batch: a tenth of the rate after every second one."""
    d = data.digit_images()
    return Training(
        model=lambda: blocks.SmallCnn(6, activation=nn.ELU),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9),
        scheduler=lambda o: torch.optim.lr_scheduler.StepLR(o, every, gamma=0.1),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=75),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _dropped(share: float = 0.97) -> Training:
    d = data.digits()
    return Training(
        model=lambda: blocks.mlp([64, 64, 64, 10], dropout=share),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 64, seed=76),
        steps=250,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _swinging(momentum: float = 0.999) -> Training:
    """Momentum so high that the weights orbit the minimum instead of settling."""
    d = data.plane(features=10, noise=0.05)
    return Training(
        model=lambda: nn.Linear(10, 1),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=momentum),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y),
        steps=200,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _bouncing(learning_rate: float = 2.0) -> Training:
    """Mean absolute error: its gradient is as large near the minimum as far away, so a large step bounces for ever and never flies off."""
    d = data.plane(features=6, noise=0.3)
    return Training(
        model=lambda: nn.Linear(6, 1),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=learning_rate),
        loss=nn.L1Loss(),
        batches=data.minibatches(d.x, d.y),
        steps=300,
        evaluate=data.r2(d.x, d.y),
    )


def _slow_statistics(momentum: float = 1e-4) -> Training:
    """BatchNorm with a TensorFlow-style momentum: its running statistics never leave their start, and eval mode fails."""
    d = data.digits(scale="raw")
    return Training(
        model=lambda: blocks.mlp([64, 48, 48, 10], norm=partial(nn.BatchNorm1d, momentum=momentum)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=78),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


PATIENTS = (
    Patient(
        name="clipped_to_nothing",
        label="over_clipping",
        family="mlp",
        task="classification",
        training=_clipped,
        healed=partial(_clipped, 1.0),
        good=0.9,
        also_true=frozenset({"lr_too_low"}),
    ),
    Patient(
        name="decayed_to_nothing",
        label="over_decay",
        family="mlp",
        task="classification",
        training=_decayed,
        healed=partial(_decayed, 1e-4),
        good=0.9,
        also_true=frozenset({"over_regularised", "vanishing_gradient"}),
    ),
    Patient(
        name="decoupled_decay_too_strong",
        label="over_decay",
        family="gru",
        task="regression",
        training=_decayed_gru,
        healed=partial(_decayed_gru, 0.01),
        good=0.9,
        also_true=frozenset({"over_regularised", "vanishing_gradient"}),
    ),
    Patient(
        name="epoch_schedule_stepped_per_batch",
        label="dead_schedule",
        family="mlp",
        task="regression",
        training=_scheduled,
        healed=partial(_scheduled, 0.998),
        good=0.8,
        also_true=frozenset({"lr_too_low"}),
    ),
    Patient(
        name="step_schedule_falls_at_once",
        label="dead_schedule",
        family="cnn",
        task="classification",
        training=_stepped,
        healed=partial(_stepped, 100),
        good=0.9,
        also_true=frozenset({"lr_too_low"}),
    ),
    Patient(
        name="nearly_everything_dropped",
        label="over_regularised",
        family="mlp",
        task="classification",
        training=_dropped,
        healed=partial(_dropped, 0.2),
        good=0.9,
    ),
    Patient(
        name="momentum_orbits_the_minimum",
        label="oscillating_loss",
        family="linear",
        task="regression",
        training=_swinging,
        healed=partial(_swinging, 0.9),
        good=0.9,
    ),
    Patient(
        name="bouncing_between_the_slopes",
        label="oscillating_loss",
        family="linear",
        task="regression",
        training=_bouncing,
        healed=partial(_bouncing, 0.05),
        good=0.8,
        also_true=frozenset({"lr_too_high"}),
    ),
    Patient(
        name="statistics_that_never_arrive",
        label="train_eval_mismatch",
        family="mlp",
        task="classification",
        training=_slow_statistics,
        healed=partial(_slow_statistics, 0.1),
        good=0.9,
        also_true=frozenset({"input_scaling"}),
    ),
)
