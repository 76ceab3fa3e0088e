"""Learning rates that are wrong by a factor of three, ten, a hundred or a thousand, over all kinds of optimizer and model."""

from functools import partial

from torch import nn

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, SmallCnn, TinyTransformer, mlp
from .more_tasks import adam, adamw, classify, regress, rmsprop, sgd


def _diabetes_line(rate: float) -> Training:
    return regress(data.diabetes(), lambda: nn.Linear(10, 1), sgd(rate), 150, size=None)


def _digits_momentum(rate: float) -> Training:
    return classify(data.digits(), lambda: mlp((64, 64, 64, 10)), sgd(rate, momentum=0.9), 250)


def _digits_adam(rate: float) -> Training:
    return classify(data.digits(), lambda: mlp((64, 32, 32, 32, 10), nn.Tanh), adam(rate), 200)


def _images_rmsprop(rate: float) -> Training:
    return classify(data.digit_images(), SmallCnn, rmsprop(rate), 200)


def _rows_lstm(rate: float) -> Training:
    return classify(data.digit_rows(), lambda: SequenceReader(8, 32, 10, cell="lstm"), adam(rate), 250)


def _tokens_adamw(rate: float) -> Training:
    return classify(data.commonest_token(), lambda: TinyTransformer(3, 9, 3), adamw(rate), 180)


def _surface_sgd(rate: float) -> Training:
    return regress(data.friedman(), lambda: mlp((10, 64, 64, 1), nn.Tanh), sgd(rate), 400)


def _waves_gru(rate: float) -> Training:
    return regress(data.waves(), lambda: SequenceReader(1, 24, 1, cell="gru"), sgd(rate, momentum=0.9), 200)


def _cells_deep(rate: float) -> Training:
    return classify(data.breast_cancer(), lambda: mlp((30, 32, 32, 32, 32, 2)), adam(rate), 200)


def _digits_sgd(rate: float) -> Training:
    return classify(data.digits(), lambda: mlp((64, 64, 10), nn.Tanh), sgd(rate), 250)


def _images_adam(rate: float) -> Training:
    return classify(data.digit_images(), SmallCnn, adam(rate), 250)


def _rows_gru(rate: float) -> Training:
    return classify(data.digit_rows(), lambda: SequenceReader(8, 32, 10, cell="gru"), rmsprop(rate), 250)


def _rims_momentum(rate: float) -> Training:
    return classify(data.circles(), lambda: mlp((2, 32, 32, 2)), sgd(rate, momentum=0.9), 300)


def _iris_line(rate: float) -> Training:
    return classify(data.iris(), lambda: nn.Linear(4, 3), sgd(rate), 300)


def _diabetes_adamw(rate: float) -> Training:
    return regress(data.diabetes(), lambda: mlp((10, 32, 32, 1)), adamw(rate), 300)


def _backwards_adam(rate: float) -> Training:
    return classify(data.reversed_tokens(), lambda: TinyTransformer(8, 6, 8, per_token=True), adam(rate), 250)


DIVERGES = frozenset({"nan_inf", "exploding_gradient", "oscillating_loss"})

PATIENTS = (
    Patient(
        name="diabetes_line_three_times_too_fast",
        label="lr_too_high",
        family="linear",
        task="regression",
        good=0.35,
        also_true=DIVERGES,
        training=partial(_diabetes_line, 0.6),
        healed=partial(_diabetes_line, 0.2),
    ),
    Patient(
        name="digits_momentum_ten_times_too_fast",
        label="lr_too_high",
        family="mlp",
        task="classification",
        good=0.85,
        also_true=frozenset({"dead_units"}),
        training=partial(_digits_momentum, 0.8),
        healed=partial(_digits_momentum, 0.05),
    ),
    Patient(
        name="digits_adam_a_hundred_times_too_fast",
        label="lr_too_high",
        family="mlp",
        task="classification",
        good=0.9,
        also_true=frozenset({"saturated"}),
        training=partial(_digits_adam, 0.3),
        healed=partial(_digits_adam, 0.003),
    ),
    Patient(
        name="images_rmsprop_a_hundred_times_too_fast",
        label="lr_too_high",
        family="cnn",
        task="classification",
        good=0.85,
        also_true=frozenset({"dead_units"}),
        training=partial(_images_rmsprop, 0.1),
        healed=partial(_images_rmsprop, 0.001),
    ),
    Patient(
        name="rows_lstm_adam_too_fast",
        label="lr_too_high",
        family="lstm",
        task="classification",
        good=0.8,
        also_true=frozenset({"saturated"}),
        training=partial(_rows_lstm, 0.5),
        healed=partial(_rows_lstm, 0.01),
    ),
    Patient(
        name="votes_adamw_a_hundred_times_too_fast",
        label="lr_too_high",
        family="transformer",
        task="classification",
        good=0.8,
        training=partial(_tokens_adamw, 0.3),
        healed=partial(_tokens_adamw, 0.003),
    ),
    Patient(
        name="surface_sgd_ten_times_too_fast",
        label="lr_too_high",
        family="mlp",
        task="regression",
        good=0.7,
        also_true=DIVERGES | {"saturated"},
        training=partial(_surface_sgd, 0.5),
        healed=partial(_surface_sgd, 0.05),
    ),
    Patient(
        name="waves_gru_momentum_too_fast",
        label="lr_too_high",
        family="gru",
        task="regression",
        good=0.8,
        also_true=DIVERGES | {"saturated"},
        training=partial(_waves_gru, 1.0),
        healed=partial(_waves_gru, 0.03),
    ),
    Patient(
        name="cells_deep_adam_too_fast",
        label="lr_too_high",
        family="mlp",
        task="classification",
        good=0.9,
        also_true=frozenset({"dead_units"}),
        training=partial(_cells_deep, 0.5),
        healed=partial(_cells_deep, 0.003),
    ),
    Patient(
        name="digits_sgd_thirty_times_too_slow",
        label="lr_too_low",
        family="mlp",
        task="classification",
        good=0.85,
        training=partial(_digits_sgd, 0.003),
        healed=partial(_digits_sgd, 0.1),
    ),
    Patient(
        name="images_adam_a_thousand_times_too_slow",
        label="lr_too_low",
        family="cnn",
        task="classification",
        good=0.8,
        training=partial(_images_adam, 3e-6),
        healed=partial(_images_adam, 3e-3),
    ),
    Patient(
        name="rows_gru_rmsprop_too_slow",
        label="lr_too_low",
        family="gru",
        task="classification",
        good=0.8,
        training=partial(_rows_gru, 3e-5),
        healed=partial(_rows_gru, 3e-3),
    ),
    Patient(
        name="rims_momentum_too_slow",
        label="lr_too_low",
        family="mlp",
        task="classification",
        good=0.9,
        training=partial(_rims_momentum, 5e-5),
        healed=partial(_rims_momentum, 0.05),
    ),
    Patient(
        name="iris_line_a_thousand_times_too_slow",
        label="lr_too_low",
        family="linear",
        task="classification",
        good=0.7,
        training=partial(_iris_line, 3e-4),
        healed=partial(_iris_line, 0.3),
    ),
    Patient(
        name="diabetes_adamw_too_slow",
        label="lr_too_low",
        family="mlp",
        task="regression",
        good=0.35,
        training=partial(_diabetes_adamw, 1e-5),
        healed=partial(_diabetes_adamw, 1e-3),
    ),
    Patient(
        name="backwards_adam_thirty_times_too_slow",
        label="lr_too_low",
        family="transformer",
        task="classification",
        good=0.8,
        training=partial(_backwards_adam, 1e-4),
        healed=partial(_backwards_adam, 3e-3),
    ),
)
