"""Ordinary healthy trainings, and two that start late or can explain only half."""

from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, SmallCnn, TinyTransformer, mlp, residual_mlp
from .more_tasks import adam, adamw, classify, regress, rmsprop, sgd


def _digits_nesterov() -> Training:
    return classify(data.digits(), lambda: mlp((64, 64, 64, 10), nn.GELU), sgd(0.03, momentum=0.9, nesterov=True), 250)


def _surface_residual() -> Training:
    return regress(data.friedman(), lambda: residual_mlp(10, 32, 1, 3), adamw(0.003), 250)


def _images_rmsprop() -> Training:
    return classify(data.digit_images(), lambda: SmallCnn(norm=True), rmsprop(0.001), 200)


def _walks_gru() -> Training:
    return regress(data.bit_sums(), lambda: SequenceReader(1, 24, 1, cell="gru"), adam(0.005), 250)


def _backwards() -> Training:
    return classify(data.reversed_tokens(), lambda: TinyTransformer(8, 6, 8, per_token=True), adamw(0.003), 250)


def _blobs_line() -> Training:
    return classify(data.blobs(), lambda: nn.Linear(6, 4), sgd(0.1), 200)


def _rows_lstm() -> Training:
    def warm_up(optimizer: object) -> lr_scheduler.LambdaLR:
        return lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 50))  # type: ignore[arg-type]

    return classify(data.digit_rows(), lambda: SequenceReader(8, 32, 10, cell="lstm"), adam(0.01), 250, scheduler=warm_up)


def _plane_huber() -> Training:
    return regress(data.plane(), lambda: nn.Linear(8, 1), sgd(0.1), 200, loss=F.huber_loss)


def _curve_sgd() -> Training:
    return regress(data.sines(periods=1.0), lambda: mlp((1, 64, 64, 1), nn.Tanh), sgd(0.1, momentum=0.9), 300)


def _late_parity() -> Training:
    return classify(data.parity(length=5), lambda: SequenceReader(1, 32, 2, cell="gru"), adam(0.01), 400)


def _surface_noisy() -> Training:
    return regress(data.friedman(noise=0.5), lambda: mlp((10, 32, 1)), sgd(0.02), 300)


CLASSIFICATIONS = {
    "digits_with_nesterov_and_gelu": (_digits_nesterov, "mlp", 0.9, False),
    "images_batch_norm_rmsprop": (_images_rmsprop, "cnn", 0.9, False),
    "backwards_with_adamw": (_backwards, "transformer", 0.9, True),
    "blobs_with_one_line": (_blobs_line, "linear", 0.85, False),
    "rows_lstm_warmed_up": (_rows_lstm, "lstm", 0.85, False),
    "parity_of_five_starts_late": (_late_parity, "gru", 0.9, True),
}

REGRESSIONS = {
    "surface_with_residuals": (_surface_residual, "mlp", 0.8, False),
    "walks_with_a_gru": (_walks_gru, "gru", 0.9, False),
    "plane_with_huber": (_plane_huber, "linear", 0.9, False),
    "curve_with_momentum": (_curve_sgd, "mlp", 0.9, False),
    "surface_half_of_it_noise": (_surface_noisy, "mlp", 0.5, True),
}

PATIENTS = tuple(
    Patient(name=name, label=None, family=family, task="classification", good=good, training=make, near_boundary=edge)
    for name, (make, family, good, edge) in CLASSIFICATIONS.items()
) + tuple(
    Patient(name=name, label=None, family=family, task="regression", good=good, training=make, near_boundary=edge)
    for name, (make, family, good, edge) in REGRESSIONS.items()
)
