"""Healthy trainings with a symptom: late starters, small and large rates, odd scales that Adam or a norm layer copes with, clipping, decay, dropout."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, SmallCnn, TinyTransformer, initialise, mlp
from ..data import Data
from .more_tasks import adam, adamw, classify, regress, rmsprop, sgd


def _scaled(factor: float, x: Tensor) -> Tensor:
    return factor * x


def _noisy(data_set: Data, share: float, classes: int) -> Data:
    """Return a copy with ``share`` of the training labels replaced by random ones; held-out labels stay true."""
    generator = torch.Generator().manual_seed(7)
    wrong = torch.rand(len(data_set.y), generator=generator) < share
    anything = torch.randint(0, classes, data_set.y.shape, generator=generator)
    return Data(data_set.x, torch.where(wrong, anything, data_set.y), data_set.x_test, data_set.y_test)


def _late_memory() -> Training:
    def make() -> nn.Module:
        model = SequenceReader(4, 32, 4)
        with torch.no_grad():
            nn.init.orthogonal_(model.recurrent.weight_hh_l0, gain=0.2)  # type: ignore[arg-type]
        return model

    return classify(data.first_symbol(length=15), make, adam(0.003), 500)


def _late_sigmoids() -> Training:
    return classify(data.breast_cancer(), lambda: mlp((30, *[24] * 5, 2), nn.Sigmoid), adam(0.003), 350)


def _late_lstm() -> Training:
    return regress(data.adding(length=12), lambda: SequenceReader(2, 32, 1, cell="lstm"), adam(0.01), 500)


def _wide_spirals() -> Training:
    wide = data.spirals().with_inputs(partial(_scaled, 30.0))
    return classify(wide, lambda: mlp((2, 64, 64, 2), nn.Tanh), adam(0.01), 400, size=64)


def _loud_waves() -> Training:
    loud = data.waves().with_inputs(partial(_scaled, 1000.0))
    return regress(loud, lambda: SequenceReader(1, 32, 1), adam(0.003), 400)


def _raw_cells_batch_norm() -> Training:
    return classify(data.breast_cancer(scale="raw"), lambda: nn.Sequential(nn.BatchNorm1d(30), mlp((30, 32, 2))), sgd(0.1, momentum=0.9), 150)


def _small_rate() -> Training:
    return classify(data.digits(), lambda: mlp((64, 128, 10)), sgd(0.02), 600)


def _large_rate() -> Training:
    return regress(data.diabetes(), lambda: nn.Linear(10, 1), sgd(0.22), 150, size=None)


def _votes_fast() -> Training:
    return classify(data.commonest_token(), lambda: TinyTransformer(3, 9, 3), adamw(0.03), 180)


def _tripled_weights_batch_norm() -> Training:
    def make() -> nn.Module:
        return initialise(mlp((64, 48, 48, 48, 10), norm=nn.BatchNorm1d), partial(nn.init.normal_, std=1.0))

    return classify(data.digits(), make, adam(0.003), 250)


def _noisy_labels() -> Training:
    return classify(_noisy(data.digits(), 0.4, 10), lambda: mlp((64, 64, 10)), adam(0.002), 200)


def _sparse() -> Training:
    def make() -> nn.Module:
        model = mlp((64, 256, 10))
        with torch.no_grad():
            model[0].bias.fill_(-1.0)  # type: ignore[operator]
        return model

    return classify(data.digits(), make, adam(0.003), 200)


def _half_units_dead() -> Training:
    def make() -> nn.Module:
        model = SmallCnn(16)
        with torch.no_grad():
            model.conv1.bias[:8] = -20.0  # type: ignore[index]
        return model

    return classify(data.digit_images(), make, adam(0.003), 250)


def _clipped() -> Training:
    return classify(data.digit_rows(), lambda: SequenceReader(8, 48, 10, cell="gru"), sgd(1.0), 400, clip_grad_norm=0.3)


def _decayed() -> Training:
    return classify(data.wine(), lambda: mlp((13, 32, 3)), adamw(0.01, weight_decay=1.0), 200)


def _dropped() -> Training:
    return classify(data.digits(), lambda: mlp((64, 128, 128, 10), dropout=0.5), rmsprop(0.001), 300)


def _one_by_one() -> Training:
    return classify(data.iris(), lambda: mlp((4, 16, 3), nn.Tanh), sgd(0.02), 600, size=1)


def _smoothed() -> Training:
    return classify(data.digits(), lambda: mlp((64, 64, 10)), adam(0.003), 250, loss=nn.CrossEntropyLoss(label_smoothing=0.3))


def _rare() -> Training:
    cells = data.breast_cancer()
    kept = torch.cat([torch.nonzero(cells.y == 1)[:, 0], torch.nonzero(cells.y == 0)[:15, 0]])
    few = Data(cells.x[kept], cells.y[kept], cells.x_test, cells.y_test)
    return classify(few, lambda: mlp((30, 16, 2)), adam(0.005), 250, loss=partial(F.cross_entropy, weight=torch.tensor([10.0, 1.0])))


def _deep_relu() -> Training:
    def make() -> nn.Module:
        return initialise(mlp((64, *[64] * 15, 10)), partial(nn.init.kaiming_normal_, nonlinearity="relu"))

    return classify(data.digits(), make, adam(0.0005), 300)


EDGES = {
    "rnn_that_contracts_yet_remembers": (_late_memory, "rnn", 0.9),
    "five_sigmoid_layers_start_late": (_late_sigmoids, "mlp", 0.9),
    "spirals_thirty_times_too_wide_for_adam": (_wide_spirals, "mlp", 0.95),
    "raw_cells_behind_a_batch_norm": (_raw_cells_batch_norm, "mlp", 0.93),
    "small_rate_arrives_on_digits": (_small_rate, "mlp", 0.85),
    "votes_with_a_brisk_adamw": (_votes_fast, "transformer", 0.9),
    "unit_normal_weights_behind_batch_norm": (_tripled_weights_batch_norm, "mlp", 0.85),
    "two_labels_in_five_redrawn": (_noisy_labels, "mlp", 0.8),
    "sparse_by_a_negative_bias": (_sparse, "mlp", 0.9),
    "half_of_the_first_maps_dark": (_half_units_dead, "cnn", 0.9),
    "gru_always_clipped_on_rows": (_clipped, "gru", 0.85),
    "wine_with_a_decay_of_one": (_decayed, "mlp", 0.9),
    "digits_half_dropped_twice": (_dropped, "mlp", 0.9),
    "iris_flower_by_flower": (_one_by_one, "mlp", 0.85),
    "digits_heavily_smoothed": (_smoothed, "mlp", 0.9),
    "fifteen_ill_cells_weighted": (_rare, "mlp", 0.9),
    "fifteen_relu_layers_of_he": (_deep_relu, "mlp", 0.85),
}

REGRESSIONS = {
    "adding_lstm_starts_late": (_late_lstm, "lstm", 0.8),
    "loud_waves_with_adam": (_loud_waves, "rnn", 0.85),
    "diabetes_line_near_its_limit": (_large_rate, "linear", 0.4),
}

PATIENTS = tuple(
    Patient(name=name, label=None, family=family, task="classification", good=good, training=make, near_boundary=True)
    for name, (make, family, good) in EDGES.items()
) + tuple(
    Patient(name=name, label=None, family=family, task="regression", good=good, training=make, near_boundary=True)
    for name, (make, family, good) in REGRESSIONS.items()
)
