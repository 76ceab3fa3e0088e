"""Ill: well-known causes in other clothes: wrong logarithms, activity lost on the way, tight clips, heavy decay, timid and bold rates."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from ..blocks import Residual, SmallCnn, TinyTransformer, initialise, mlp
from ._recipes import by, ill, sgd
from ._sets import (
    accuracy,
    digits,
    friedman,
    full_batch,
    images,
    minibatches,
    r_squared,
    recall,
    rows,
    running_sum,
    standardised,
    table,
    tokens,
    wave,
)


def _clipped_each_value(*, bound: float) -> Training:
    """Every gradient entry clipped to a ten-thousandth, under momentum."""
    data = images()

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(batch[0]), batch[1])
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), bound)
        optimizer.step()
        return loss

    return Training(
        model=partial(SmallCnn, 6),
        optimizer=sgd(0.05, 0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        train_step=one_step,
        evaluate=accuracy(data),
    )


def _clipped_transformer(*, clip: float) -> Training:
    data = tokens()
    return Training(
        model=lambda: TinyTransformer(12, 10, 3, width=24, heads=2, layers=1),
        optimizer=sgd(0.1, 0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        clip_grad_norm=clip,
        evaluate=accuracy(data),
    )


def _decayed_lexicon(*, decay: float) -> Training:
    data = rows()

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.fc = nn.LSTM(8, 32, batch_first=True), nn.Linear(32, 10)

        def forward(self, x: Tensor) -> Any:
            return self.fc(self.lstm(x)[1][0][-1])

    return Training(
        model=Reader,
        optimizer=by(torch.optim.RMSprop, lr=3e-3, weight_decay=decay),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=350,
        evaluate=accuracy(data),
    )


def _cosine_of_batches(*, period: int) -> Training:
    """A cosine schedule whose length was given in epochs but is stepped per batch, held at its end."""
    data = friedman()

    def schedule(optimizer: torch.optim.Optimizer) -> Any:
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=period, eta_min=1e-8)
        flat = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1e-6, total_iters=10_000)
        return torch.optim.lr_scheduler.SequentialLR(optimizer, [cosine, flat], milestones=[period])

    return Training(
        model=lambda: mlp((10, 64, 64, 1), nn.SiLU, output=nn.Flatten(0)),
        optimizer=sgd(0.02, 0.9),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        scheduler=schedule,
        evaluate=r_squared(data),
    )


def _wide_normal(*, std: float) -> Training:
    """A convolutional network whose filters were drawn with deviation 2 instead of 0.2."""
    data = images()
    return Training(
        model=lambda: initialise(SmallCnn(8), partial(nn.init.normal_, std=std)),
        optimizer=sgd(0.01, 0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        evaluate=accuracy(data),
    )


def _tiny_transformer_start(*, factor: float) -> Training:
    data = recall(12)

    def make() -> nn.Module:
        return initialise(mlp((60, 48, 48, 48, 48, 4), nn.Tanh), partial(nn.init.xavier_normal_, gain=factor))

    return Training(
        model=lambda: nn.Sequential(nn.Flatten(), make()),
        optimizer=sgd(0.05, 0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 50),
        steps=200,
        evaluate=accuracy(data),
    )


def _swinging_wave(*, momentum: float) -> Training:
    """Absolute errors under a momentum of 0.998: the fit swings through the data for the whole run."""
    data = wave()
    return Training(
        model=lambda: mlp((1, 64, 64, 1), nn.Tanh),
        optimizer=sgd(0.02, momentum),
        loss=F.l1_loss,
        batches=full_batch(data.x, data.y),
        steps=600,
        evaluate=r_squared(data),
    )


def _sorted_sum(*, lr: float) -> Training:
    data = running_sum()

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru, self.fc = nn.GRU(1, 32, batch_first=True), nn.Linear(32, 1)

        def forward(self, x: Tensor) -> Any:
            return self.fc(self.gru(x)[0][:, -1])

    return Training(
        model=Reader,
        optimizer=by(torch.optim.RAdam, lr=lr),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        evaluate=r_squared(data),
    )


def _bold_rate(*, lr: float) -> Training:
    data = images()
    return Training(
        model=partial(SmallCnn, 8, activation=nn.GELU),
        optimizer=by(torch.optim.NAdam, lr=lr),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        evaluate=accuracy(data),
    )


def _sigmoid_blocks(act: Callable[[], nn.Module]) -> Training:
    data = standardised(table("breast_cancer"))
    return Training(
        model=lambda: initialise(mlp((30, *[24] * 9, 2), act), nn.init.kaiming_normal_),
        optimizer=by(torch.optim.SGD, lr=0.05, momentum=0.9, nesterov=True),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=250,
        evaluate=accuracy(data),
    )


def _shift_after_residuals(*, scale: float) -> Training:
    """Thirty unnormalised residual blocks of full strength, drawn with gain two: every block multiplies what comes back."""
    data = standardised(table("wine"))

    def block() -> nn.Module:
        return Residual(nn.Sequential(nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 24)), scale=scale)

    return Training(
        model=lambda: initialise(nn.Sequential(nn.Linear(13, 24), *(block() for _ in range(30)), nn.Linear(24, 3)), nn.init.kaiming_normal_),
        optimizer=sgd(0.01, 0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 33),
        steps=200,
        evaluate=accuracy(data),
    )


def _never_cleared(*, clears: bool) -> Training:
    """Accumulation over four batches whose clearing was put behind a condition that never holds."""
    data = digits()

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        x, y = batch
        total = torch.zeros(())
        for part, wanted in zip(x.split(16), y.split(16), strict=True):
            loss = F.cross_entropy(model(part), wanted) / 4
            loss.backward()
            total = total + loss.detach()
        optimizer.step()
        if clears:
            optimizer.zero_grad()
        return total

    return Training(
        model=lambda: mlp((64, 64, 10), nn.Tanh),
        optimizer=by(torch.optim.Adamax, lr=2e-2),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 64),
        steps=250,
        train_step=one_step,
        evaluate=accuracy(data),
    )


_C, _R = "classification", "regression"
PATIENTS = (
    ill(
        "filters_clipped_value_by_value",
        "over_clipping",
        "cnn",
        _C,
        partial(_clipped_each_value, bound=1e-5),
        partial(_clipped_each_value, bound=1.0),
        0.85,
        "lr_too_low",
    ),
    ill(
        "transformer_clipped_to_a_ten_thousandth",
        "over_clipping",
        "transformer",
        _C,
        partial(_clipped_transformer, clip=1e-4),
        partial(_clipped_transformer, clip=5.0),
        0.85,
        "lr_too_low",
    ),
    ill(
        "rmsprop_decay_on_an_lstm",
        "over_decay",
        "lstm",
        _C,
        partial(_decayed_lexicon, decay=0.3),
        partial(_decayed_lexicon, decay=0.0),
        0.85,
        "over_regularised",
        "vanishing_gradient",
    ),
    ill(
        "cosine_over_in_twelve_batches",
        "dead_schedule",
        "mlp",
        _R,
        partial(_cosine_of_batches, period=12),
        partial(_cosine_of_batches, period=400),
        0.7,
        "lr_too_low",
    ),
    ill(
        "filters_of_deviation_two",
        "bad_init_scale",
        "cnn",
        _C,
        partial(_wide_normal, std=2.0),
        partial(_wide_normal, std=0.15),
        0.85,
        "exploding_gradient",
        "nan_inf",
        "dead_units",
    ),
    ill(
        "five_tanh_layers_gain_a_twentieth",
        "bad_init_scale",
        "mlp",
        _C,
        partial(_tiny_transformer_start, factor=0.05),
        partial(_tiny_transformer_start, factor=1.0),
        0.85,
        "vanishing_gradient",
    ),
    ill(
        "absolute_error_momentum_0998",
        "oscillating_loss",
        "mlp",
        _R,
        partial(_swinging_wave, momentum=0.998),
        partial(_swinging_wave, momentum=0.9),
        0.9,
        "lr_too_high",
    ),
    ill("gru_radam_crawls", "lr_too_low", "rnn", _R, partial(_sorted_sum, lr=2e-5), partial(_sorted_sum, lr=5e-3), 0.85),
    ill(
        "cnn_nadam_three_tenths", "lr_too_high", "cnn", _C, partial(_bold_rate, lr=0.3), partial(_bold_rate, lr=3e-3), 0.85, "dead_units", "exploding_gradient"
    ),
    ill("ten_sigmoid_layers_on_tumours", "vanishing_gradient", "mlp", _C, partial(_sigmoid_blocks, nn.Sigmoid), partial(_sigmoid_blocks, nn.ReLU), 0.9),
    ill(
        "thirty_full_residual_blocks",
        "exploding_gradient",
        "mlp",
        _C,
        partial(_shift_after_residuals, scale=1.0),
        partial(_shift_after_residuals, scale=0.05),
        0.85,
        "bad_init_scale",
        "nan_inf",
    ),
    ill(
        "accumulation_never_cleared",
        "no_zero_grad",
        "mlp",
        _C,
        partial(_never_cleared, clears=False),
        partial(_never_cleared, clears=True),
        0.88,
        "oscillating_loss",
    ),
)
