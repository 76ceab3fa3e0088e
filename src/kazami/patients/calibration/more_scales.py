"""Inputs and targets that nobody brought to a sensible scale: times thirty, times a thousand, plus fifty."""

from functools import partial

from torch import Tensor, nn

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, SmallCnn, mlp
from ..data import Data
from .more_tasks import adam, classify, regress, rmsprop, sgd


def _times(factor: float, offset: float, x: Tensor) -> Tensor:
    return factor * x + offset


def _inputs(of: Data, factor: float = 1.0, offset: float = 0.0) -> Data:
    return of.with_inputs(partial(_times, factor, offset))


def _targets(of: Data, factor: float = 1.0, offset: float = 0.0) -> Data:
    return of.with_targets(partial(_times, factor, offset))


def _spirals(factor: float) -> Training:
    return classify(_inputs(data.spirals(), factor), lambda: mlp((2, 64, 64, 2), nn.Tanh), sgd(0.1, momentum=0.9), 500)


def _images(offset: float) -> Training:
    return classify(_inputs(data.digit_images(), 1.0, offset), lambda: SmallCnn(activation=nn.Tanh), sgd(0.05, momentum=0.9), 200)


def _cells(scale: data.Scale) -> Training:
    return classify(data.breast_cancer(scale=scale), lambda: mlp((30, 32, 32, 2), nn.Sigmoid), sgd(0.3), 200)


def _wave_windows(factor: float) -> Training:
    return regress(_inputs(data.waves(), factor), lambda: SequenceReader(1, 32, 1), sgd(0.03, momentum=0.9), 300)


def _surface(factor: float) -> Training:
    return regress(_inputs(data.friedman(), factor), lambda: mlp((10, 64, 1)), sgd(0.03), 300)


def _prices(offset: float) -> Training:
    return regress(_targets(data.diabetes(), 1.0, offset), lambda: mlp((10, 32, 1)), adam(0.003), 300)


def _curve(factor: float) -> Training:
    return regress(_targets(data.sines(periods=1.0), factor), lambda: mlp((1, 32, 32, 1), nn.Tanh), rmsprop(0.003), 300)


def _sums(factor: float) -> Training:
    return regress(_targets(data.bit_sums(), factor), lambda: SequenceReader(1, 24, 1, cell="lstm"), adam(0.01), 300)


def _plane(factor: float, offset: float) -> Training:
    return regress(_targets(data.plane(), factor, offset), lambda: mlp((8, 32, 32, 1)), sgd(0.05), 300)


PATIENTS = (
    Patient(
        name="spirals_a_hundred_times_too_wide",
        label="input_scaling",
        family="mlp",
        task="classification",
        good=0.9,
        also_true=frozenset({"saturated"}),
        training=partial(_spirals, 100.0),
        healed=partial(_spirals, 1.0),
    ),
    Patient(
        name="images_fifty_grey_levels_too_bright",
        label="input_scaling",
        family="cnn",
        task="classification",
        good=0.85,
        also_true=frozenset({"saturated"}),
        training=partial(_images, 50.0),
        healed=partial(_images, 0.0),
    ),
    Patient(
        name="cells_as_measured_into_sigmoids",
        label="input_scaling",
        family="mlp",
        task="classification",
        good=0.93,
        also_true=frozenset({"saturated"}),
        training=partial(_cells, "raw"),
        healed=partial(_cells, "standard"),
    ),
    Patient(
        name="wave_windows_a_thousand_times_too_high",
        label="input_scaling",
        family="rnn",
        task="regression",
        good=0.9,
        also_true=frozenset({"saturated"}),
        training=partial(_wave_windows, 1000.0),
        healed=partial(_wave_windows, 1.0),
    ),
    Patient(
        name="surface_thirty_times_too_wide",
        label="input_scaling",
        family="mlp",
        task="regression",
        good=0.7,
        also_true=frozenset({"lr_too_high", "nan_inf", "exploding_gradient"}),
        training=partial(_surface, 30.0),
        healed=partial(_surface, 1.0),
    ),
    Patient(
        name="diabetes_five_hundred_too_high",
        label="target_scaling",
        family="mlp",
        task="regression",
        good=0.3,
        training=partial(_prices, 500.0),
        healed=partial(_prices, 0.0),
    ),
    Patient(
        name="curve_a_hundred_times_too_high",
        label="target_scaling",
        family="mlp",
        task="regression",
        good=0.8,
        also_true=frozenset({"lr_too_low"}),
        training=partial(_curve, 100.0),
        healed=partial(_curve, 1.0),
    ),
    Patient(
        name="walks_in_hundreds_for_an_lstm",
        label="target_scaling",
        family="lstm",
        task="regression",
        good=0.8,
        also_true=frozenset({"lr_too_low"}),
        training=partial(_sums, 100.0),
        healed=partial(_sums, 1.0),
    ),
    Patient(
        name="plane_with_an_offset_and_sgd",
        label="target_scaling",
        family="mlp",
        task="regression",
        good=0.8,
        also_true=frozenset({"lr_too_high", "nan_inf", "dead_units", "exploding_gradient"}),
        training=partial(_plane, 30.0, 500.0),
        healed=partial(_plane, 1.0, 0.0),
    ),
)
