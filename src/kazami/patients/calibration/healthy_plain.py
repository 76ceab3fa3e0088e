"""Ordinary trainings that work: what people write on an ordinary day."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _digits_adam() -> Training:
    d = data.digits(scale="unit")
    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10)),
        optimizer=lambda m: torch.optim.Adam(m.parameters()),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 32, seed=101, epochs=3),
        steps=400,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _cnn_with_batch_norm() -> Training:
    d = data.digit_images()
    return Training(
        model=lambda: blocks.SmallCnn(8, norm=True),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4),
        scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 200),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=102),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _logistic_regression() -> Training:
    d = data.breast_cancer()
    return Training(
        model=lambda: nn.Linear(30, 1),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1),
        loss=lambda z, y: F.binary_cross_entropy_with_logits(z.squeeze(1), y.float()),
        batches=data.minibatches(d.x, d.y, 16, seed=103),
        steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _gru_on_waves() -> Training:
    d = data.waves()
    return Training(
        model=lambda: blocks.SequenceReader(1, 32, 1, cell="gru"),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 32, seed=104),
        steps=250,
        clip_grad_norm=1.0,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _lbfgs_curve() -> Training:
    d = data.sines(periods=2.0)
    return Training(
        model=lambda: blocks.mlp([1, 20, 20, 1], nn.Tanh),
        optimizer=lambda m: torch.optim.LBFGS(m.parameters(), lr=1.0, max_iter=8, line_search_fn="strong_wolfe"),
        loss=nn.MSELoss(),
        batches=data.minibatches(d.x, d.y),
        steps=60,
        evaluate=data.r2(d.x_test, d.y_test),
    )


class _Autoencoder(nn.Module):
    """64 pixels through 12 numbers and back."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 40), nn.GELU(), nn.Linear(40, 12))
        self.decoder = nn.Sequential(nn.Linear(12, 40), nn.GELU(), nn.Linear(40, 64), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        back: Tensor = self.decoder(self.encoder(x))
        return back


def _autoencoder() -> Training:
    d = data.digits(scale="unit")

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Any, Any]) -> Tensor:
        x, _ = batch
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(model(x), x)
        loss.backward()
        optimizer.step()
        return loss

    return Training(
        model=_Autoencoder,
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=3e-3),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, None, 64, seed=105),
        steps=400,
        train_step=step,
        evaluate=data.r2(d.x_test, d.x_test),
    )


def _iris_adagrad() -> Training:
    d = data.iris(scale="raw")
    return Training(
        model=lambda: blocks.mlp([4, 16, 3], nn.LeakyReLU),
        optimizer=lambda m: torch.optim.Adagrad(m.parameters(), lr=0.05),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 8, seed=106),
        steps=400,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _lstm_reads_digits() -> Training:
    d = data.digit_rows()
    return Training(
        model=lambda: blocks.SequenceReader(8, 40, 10, cell="lstm"),
        optimizer=lambda m: torch.optim.RMSprop(m.parameters(), lr=3e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 50, seed=107),
        steps=250,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _dropout_on_wine() -> Training:
    d = data.wine()
    return Training(
        model=lambda: blocks.mlp([13, 32, 32, 3], nn.SiLU, dropout=0.3, norm=nn.LayerNorm),
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=2e-3, weight_decay=0.05),
        loss=nn.CrossEntropyLoss(label_smoothing=0.1),
        batches=data.minibatches(d.x, d.y, 16, seed=108),
        steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _healthy(name: str, family: str, make: Any, good: float, *, regression: bool = False) -> Patient:
    return Patient(name=name, label=None, family=family, task="regression" if regression else "classification", training=make, good=good)


PATIENTS = (
    _healthy("digits_with_adam", "mlp", _digits_adam, 0.93),
    _healthy("cnn_with_batch_norm", "cnn", _cnn_with_batch_norm, 0.95),
    _healthy("logistic_regression_on_cells", "linear", _logistic_regression, 0.95),
    _healthy("gru_on_waves", "gru", _gru_on_waves, 0.95, regression=True),
    _healthy("curve_with_lbfgs", "mlp", _lbfgs_curve, 0.99, regression=True),
    _healthy("autoencoder_of_digits", "autoencoder", _autoencoder, 0.6, regression=True),
    _healthy("iris_with_adagrad", "mlp", _iris_adagrad, 0.9),
    _healthy("lstm_reads_digits", "lstm", _lstm_reads_digits, 0.9),
    _healthy("wine_with_dropout", "mlp", _dropout_on_wine, 0.9),
)
