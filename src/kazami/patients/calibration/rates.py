"""Learning rates that are too high or too low for what is otherwise a sound training."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _sgd_on_digits(learning_rate: float) -> Training:
    d = data.digits()
    return Training(
        model=lambda: blocks.mlp([64, 64, 32, 10]),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=learning_rate),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 32, seed=11),
        steps=250,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _least_squares(learning_rate: float) -> Training:
    """Full-batch descent on a quadratic: the textbook limit 2 / largest curvature."""
    d = data.plane(features=20)
    return Training(
        model=lambda: nn.Linear(20, 1),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=learning_rate),
        loss=lambda output, target: ((output - target) ** 2).mean(),
        batches=data.minibatches(d.x, d.y),
        steps=150,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _adam_on_images(learning_rate: float) -> Training:
    d = data.digit_images()
    return Training(
        model=blocks.SmallCnn,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=learning_rate),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=12),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
        seed=3,
    )


def _momentum_on_friedman(learning_rate: float) -> Training:
    d = data.friedman()

    class Regressor(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(10, 40)
            self.out = nn.Linear(40, 1)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.out(torch.tanh(self.hidden(x)))
            return y

    return Training(
        model=Regressor,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=learning_rate, momentum=0.9),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 25, seed=13),
        steps=400,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _adamw_on_tokens(learning_rate: float) -> Training:
    d = data.commonest_token()
    return Training(
        model=lambda: blocks.TinyTransformer(3, 9, 3, width=32, layers=1),
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=learning_rate),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 60, seed=14),
        steps=250,
        evaluate=data.accuracy(d.x, d.y),
        seed=7,
    )


def _lstm_on_waves(learning_rate: float) -> Training:
    d = data.waves()
    return Training(
        model=lambda: blocks.SequenceReader(1, 24, 1, cell="lstm"),
        optimizer=lambda m: torch.optim.RMSprop(m.parameters(), lr=learning_rate),
        loss=nn.MSELoss(),
        batches=data.minibatches(d.x, d.y, 30, seed=15),
        steps=300,
        evaluate=data.r2(d.x_test, d.y_test),
    )


PATIENTS = (
    Patient(
        name="sgd_rate_too_high_on_digits",
        label="lr_too_high",
        family="mlp",
        task="classification",
        training=partial(_sgd_on_digits, 3.0),
        healed=partial(_sgd_on_digits, 0.1),
        good=0.9,
        also_true=frozenset({"dead_units", "exploding_gradient"}),
    ),
    Patient(
        name="descent_above_two_over_curvature",
        label="lr_too_high",
        family="linear",
        task="regression",
        training=partial(_least_squares, 0.9),
        healed=partial(_least_squares, 0.2),
        good=0.9,
        also_true=frozenset({"exploding_gradient", "nan_inf"}),
    ),
    Patient(
        name="adam_rate_too_high_on_images",
        label="lr_too_high",
        family="cnn",
        task="classification",
        training=partial(_adam_on_images, 0.3),
        healed=partial(_adam_on_images, 3e-3),
        good=0.9,
        also_true=frozenset({"dead_units", "exploding_gradient"}),
    ),
    Patient(
        name="transformer_rate_too_high",
        label="lr_too_high",
        family="transformer",
        task="classification",
        training=partial(_adamw_on_tokens, 0.3),
        healed=partial(_adamw_on_tokens, 3e-3),
        good=0.85,
        also_true=frozenset({"dead_units"}),
    ),
    Patient(
        name="sgd_rate_too_low_on_digits",
        label="lr_too_low",
        family="mlp",
        task="classification",
        training=partial(_sgd_on_digits, 3e-4),
        healed=partial(_sgd_on_digits, 0.1),
        good=0.9,
    ),
    Patient(
        name="momentum_rate_too_low",
        label="lr_too_low",
        family="mlp",
        task="regression",
        training=partial(_momentum_on_friedman, 2e-5),
        healed=partial(_momentum_on_friedman, 0.02),
        good=0.8,
    ),
    Patient(
        name="transformer_rate_too_low",
        label="lr_too_low",
        family="transformer",
        task="classification",
        training=partial(_adamw_on_tokens, 1e-6),
        healed=partial(_adamw_on_tokens, 3e-3),
        good=0.85,
    ),
    Patient(
        name="lstm_rate_too_low",
        label="lr_too_low",
        family="lstm",
        task="regression",
        training=partial(_lstm_on_waves, 1e-6),
        healed=partial(_lstm_on_waves, 3e-3),
        good=0.8,
    ),
)
