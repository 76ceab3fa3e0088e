"""The last function of the model and the loss do not belong together, or output and target are spread against each other."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, SmallCnn, mlp
from .more_tasks import adam, adamw, classify, regress, rmsprop, sgd


def _rows(output: nn.Module) -> Training:
    return classify(data.digit_rows(), lambda: nn.Sequential(SequenceReader(8, 24, 10, cell="gru"), output), adam(0.003), 250)


def _images(output: nn.Module) -> Training:
    return classify(data.digit_images(), lambda: nn.Sequential(SmallCnn(), output), sgd(0.05), 300)


def _log_of_softmax(output: Tensor, target: Tensor) -> Tensor:
    return F.nll_loss(torch.log(torch.softmax(output, 1)), target)


def _loud_images(loss: Any) -> Training:
    loud = data.digit_images().with_inputs(lambda x: 6.0 * x)
    return classify(loud, lambda: SmallCnn(16), rmsprop(0.01), 250, loss=loss)


def _curve(output: nn.Module) -> Training:
    return regress(data.sines(periods=1.0), lambda: mlp((1, 32, 32, 1), nn.Tanh, output=output), adam(0.005), 300)


def _squeezed_plane(output: nn.Module) -> Training:
    return regress(data.plane(), lambda: mlp((8, 32, 1), output=output), adamw(0.005), 300)


def _flat(output: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(output[:, 0], target)


def _surface(loss: Any) -> Training:
    return regress(data.friedman(), lambda: mlp((10, 48, 1)), adam(0.005), 300, loss=loss)


def _absolute_flat(output: Tensor, target: Tensor) -> Tensor:
    return (output - target[:, 0]).abs().mean()


def _sums(loss: Any) -> Training:
    return regress(data.bit_sums(), lambda: SequenceReader(1, 24, 1, cell="gru"), adam(0.01), 250, loss=loss)


SAME = frozenset({"output_activation"})

PATIENTS = (
    Patient(
        name="images_softmax_twice",
        label="double_softmax",
        family="cnn",
        task="classification",
        good=0.8,
        also_true=SAME,
        training=partial(_images, nn.Softmax(1)),
        healed=partial(_images, nn.Identity()),
    ),
    Patient(
        name="rows_sigmoid_before_cross_entropy",
        label="output_activation",
        family="gru",
        task="classification",
        good=0.88,
        training=partial(_rows, nn.Sigmoid()),
        healed=partial(_rows, nn.Identity()),
    ),
    Patient(
        name="loud_images_log_of_softmax",
        label="log_of_softmax",
        family="cnn",
        task="classification",
        good=0.8,
        also_true=frozenset({"nan_inf", "lr_too_high", "input_scaling"}),
        training=partial(_loud_images, _log_of_softmax),
        healed=partial(_loud_images, F.cross_entropy),
    ),
    Patient(
        name="curve_through_a_sigmoid",
        label="output_activation",
        family="mlp",
        task="regression",
        good=0.8,
        also_true=frozenset({"saturated"}),
        training=partial(_curve, nn.Sigmoid()),
        healed=partial(_curve, nn.Identity()),
    ),
    Patient(
        name="plane_cut_at_zero",
        label="output_activation",
        family="mlp",
        task="regression",
        good=0.8,
        training=partial(_squeezed_plane, nn.ReLU()),
        healed=partial(_squeezed_plane, nn.Identity()),
    ),
    Patient(
        name="surface_row_against_column",
        label="target_broadcast",
        family="mlp",
        task="regression",
        good=0.7,
        training=partial(_surface, _flat),
        healed=partial(_surface, F.mse_loss),
    ),
    Patient(
        name="walks_column_against_row",
        label="target_broadcast",
        family="gru",
        task="regression",
        good=0.7,
        training=partial(_sums, _absolute_flat),
        healed=partial(_sums, F.l1_loss),
    ),
)
