"""Ill: too much wind. Gradients that grow over depth or time, learning rates above what the network bears, losses that swing."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ._sets import accuracy, digits, friedman, full_batch, images, minibatches, plane, r_squared, rows, running_sum, standardised, table, tokens


class _Adder(nn.Module):
    """A ReLU recurrence over a long sequence, with a chosen size of the recurrent matrix."""

    def __init__(self, *, gain: float) -> None:
        super().__init__()
        self.rnn = nn.RNN(1, 30, nonlinearity="relu", batch_first=True)
        with torch.no_grad():
            for name, weight in self.rnn.named_parameters():
                if name == "weight_hh_l0":
                    weight.copy_(gain * torch.eye(30))
                elif name.startswith("bias"):
                    weight.zero_()
        self.out = nn.Linear(30, 1)

    def forward(self, x: Tensor) -> Any:
        return self.out(self.rnn(x)[0][:, -1])


def _relu_rnn(*, gain: float) -> Training:
    data = running_sum(40)
    return Training(
        model=partial(_Adder, gain=gain),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=1e-3),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 50),
        steps=300,
        evaluate=r_squared(data),
    )


class _OwnCell(nn.Module):
    """A recurrence written as a Python loop over time."""

    def __init__(self, *, spread: float) -> None:
        super().__init__()
        self.w_x = nn.Parameter(torch.randn(8, 48) * 0.3)
        self.w_h = nn.Parameter(torch.randn(48, 48) * spread / 48**0.5)
        self.b = nn.Parameter(torch.zeros(48))
        self.read = nn.Linear(48, 10)

    def forward(self, x: Tensor) -> Any:
        h = torch.zeros(len(x), 48)
        for t in range(4 * x.shape[1]):  # every row is shown four times
            h = F.leaky_relu(x[:, t // 4] @ self.w_x + h @ self.w_h + self.b, 0.5)
        return self.read(h)


def _own_recurrence(*, spread: float) -> Training:
    data = rows()
    return Training(
        model=partial(_OwnCell, spread=spread),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=220,
        evaluate=accuracy(data),
    )


class _Blocks(nn.Module):
    """Forty residual blocks, each branch multiplied by a constant."""

    def __init__(self, *, scale: float) -> None:
        super().__init__()
        self.stem = nn.Linear(64, 40)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 40)) for _ in range(40))
        self.head = nn.Linear(40, 10)
        self.scale = scale
        for block in self.blocks:
            nn.init.kaiming_normal_(block[0].weight)  # type: ignore[index]
            nn.init.kaiming_normal_(block[2].weight)  # type: ignore[index]

    def forward(self, x: Tensor) -> Any:
        x = self.stem(x)
        for block in self.blocks:
            x = x + self.scale * block(x)
        return self.head(x)


def _unscaled_residuals(*, scale: float) -> Training:
    data = digits()
    return Training(
        model=partial(_Blocks, scale=scale),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 32),
        steps=150,
        evaluate=accuracy(data),
    )


class _Encoder(nn.Module):
    """A small transformer over tokens, the mean of whose outputs is classified."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 24)
        layer = nn.TransformerEncoderLayer(24, nhead=2, dim_feedforward=48, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
        self.fc = nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.encoder(self.embed(x)).mean(dim=1))


def _transformer(*, lr: float) -> Training:
    data = tokens()
    return Training(
        model=_Encoder,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=lr),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        evaluate=accuracy(data),
    )


def _linear_descent(*, lr: float) -> Training:
    """Linear regression with bare tensors in all but name: the model only holds w and b."""
    data = plane()

    class Line(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.zeros(8, 1))
            self.b = nn.Parameter(torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.w + self.b

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        x, y = batch
        loss: Tensor = ((model(x) - y) ** 2).sum() / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return Training(
        model=Line,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=lr),
        loss=nn.MSELoss(),
        batches=full_batch(data.x, data.y),
        steps=300,
        evaluate=r_squared(data),
        train_step=one_step,
    )


class _LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(64, 40)
        self.fc2 = nn.Linear(40, 10)

    def forward(self, x: Tensor) -> Any:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def _lenet(make_optimizer: Callable[[nn.Module], torch.optim.Optimizer]) -> Training:
    data = images()
    return Training(model=_LeNet, optimizer=make_optimizer, loss=F.cross_entropy, batches=minibatches(data.x, data.y, 32), steps=350, evaluate=accuracy(data))


def _sgd(lr: float, momentum: float, m: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(m.parameters(), lr=lr, momentum=momentum)


class _Stacked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 32, num_layers=2, batch_first=True)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.lstm(x)[0][:, -1])


def _rms_lstm(*, lr: float) -> Training:
    data = rows()
    return Training(
        model=_Stacked,
        optimizer=lambda m: torch.optim.RMSprop(m.parameters(), lr=lr),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 64),
        steps=250,
        evaluate=accuracy(data),
    )


def _adam_regression(*, lr: float) -> Training:
    data = friedman()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1), nn.Flatten(0)),
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=lr),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=300,
        evaluate=r_squared(data),
    )


def _swinging_line(*, lr: float) -> Training:
    """Absolute errors have gradients of constant size: with this rate the fit jumps from one side to the other for ever."""
    data = plane()
    return Training(
        model=lambda: nn.Linear(8, 1),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=lr),
        loss=nn.L1Loss(),
        batches=full_batch(data.x, data.y),
        steps=300,
        evaluate=r_squared(data),
    )


def _swinging_digits(*, lr: float) -> Training:
    data = digits()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 10)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=lr),
        loss=nn.CrossEntropyLoss(),
        batches=full_batch(data.x, data.y),
        steps=300,
        evaluate=accuracy(data),
    )


def _margin_iris(*, lr: float) -> Training:
    data = standardised(table("iris"))
    return Training(
        model=lambda: nn.Sequential(nn.Linear(4, 30), nn.Tanh(), nn.Linear(30, 3)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=lr, momentum=0.9, nesterov=True),
        loss=nn.MultiMarginLoss(p=2),
        batches=minibatches(data.x, data.y, 16),
        steps=300,
        evaluate=accuracy(data),
    )


_C: dict[str, Any] = {"task": "classification"}
_R: dict[str, Any] = {"task": "regression"}
PATIENTS = (
    Patient(
        name="relu_rnn_gain_above_one",
        label="exploding_gradient",
        also_true=frozenset({"bad_init_scale", "nan_inf"}),
        family="rnn",
        training=partial(_relu_rnn, gain=1.4),
        healed=partial(_relu_rnn, gain=1.0),
        good=0.8,
        **_R,
    ),
    Patient(
        name="own_recurrence_grows_over_time",
        label="exploding_gradient",
        also_true=frozenset({"bad_init_scale"}),
        family="rnn",
        training=partial(_own_recurrence, spread=4.0),
        healed=partial(_own_recurrence, spread=1.2),
        good=0.75,
        **_C,
    ),
    Patient(
        name="forty_residual_blocks_unscaled",
        label="exploding_gradient",
        also_true=frozenset({"bad_init_scale", "nan_inf"}),
        family="mlp",
        training=partial(_unscaled_residuals, scale=1.0),
        healed=partial(_unscaled_residuals, scale=0.025),
        good=0.8,
        **_C,
    ),
    Patient(
        name="transformer_adam_one_tenth",
        label="lr_too_high",
        family="transformer",
        training=partial(_transformer, lr=0.1),
        healed=partial(_transformer, lr=2e-3),
        good=0.9,
        **_C,
    ),
    Patient(
        name="bare_line_diverges",
        label="lr_too_high",
        also_true=frozenset({"nan_inf", "exploding_gradient", "oscillating_loss"}),
        family="linear",
        training=partial(_linear_descent, lr=1.5),
        healed=partial(_linear_descent, lr=0.1),
        good=0.95,
        **_R,
    ),
    Patient(
        name="lenet_sgd_kills_its_units",
        label="lr_too_high",
        also_true=frozenset({"dead_units", "exploding_gradient", "nan_inf"}),
        family="cnn",
        training=partial(_lenet, partial(_sgd, 2.0, 0.0)),
        healed=partial(_lenet, partial(_sgd, 0.1, 0.0)),
        good=0.85,
        **_C,
    ),
    Patient(
        name="lenet_heavy_momentum_far_too_fast",
        label="lr_too_high",
        also_true=frozenset({"dead_units", "exploding_gradient", "nan_inf"}),
        family="cnn",
        training=partial(_lenet, partial(_sgd, 0.3, 0.95)),
        healed=partial(_lenet, partial(_sgd, 0.004, 0.95)),
        good=0.85,
        **_C,
    ),
    Patient(
        name="lstm_rmsprop_far_too_fast",
        label="lr_too_high",
        also_true=frozenset({"saturated", "oscillating_loss"}),
        family="lstm",
        training=partial(_rms_lstm, lr=0.3),
        healed=partial(_rms_lstm, lr=3e-3),
        good=0.85,
        **_C,
    ),
    Patient(
        name="adamw_regression_predicts_the_mean",
        label="lr_too_high",
        also_true=frozenset({"dead_units"}),
        family="mlp",
        training=partial(_adam_regression, lr=0.5),
        healed=partial(_adam_regression, lr=3e-3),
        good=0.85,
        **_R,
    ),
    Patient(
        name="absolute_error_jumps_for_ever",
        label="oscillating_loss",
        also_true=frozenset({"lr_too_high"}),
        family="linear",
        training=partial(_swinging_line, lr=4.0),
        healed=partial(_swinging_line, lr=0.05),
        good=0.95,
        **_R,
    ),
    Patient(
        name="full_batch_digits_swing",
        label="oscillating_loss",
        also_true=frozenset({"lr_too_high", "saturated"}),
        family="mlp",
        training=partial(_swinging_digits, lr=6.0),
        healed=partial(_swinging_digits, lr=0.3),
        good=0.85,
        **_C,
    ),
    Patient(
        name="margin_loss_is_zero_over_nan_weights",
        label="lr_too_high",
        also_true=frozenset({"nan_inf", "exploding_gradient", "saturated"}),
        family="mlp",
        training=partial(_margin_iris, lr=1.0),
        healed=partial(_margin_iris, lr=0.02),
        good=0.85,
        **_C,
    ),
)
