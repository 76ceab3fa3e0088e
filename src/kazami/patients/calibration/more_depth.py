"""Gradients that fade or grow on their way back, over six to twenty layers or over time, mild as well as gross."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import Activation, SequenceReader, initialise, mlp
from .more_tasks import adam, classify, regress, rmsprop, sgd


def _tower(sizes: tuple[int, ...], activation: Activation, gain: float) -> nn.Module:
    """Return an MLP whose weights have deviation ``gain / sqrt(fan_in)``, biases zero."""

    def draw(weight: Tensor) -> None:
        nn.init.normal_(weight, std=gain / weight.shape[1] ** 0.5)

    return initialise(mlp(sizes, activation), draw)


def _cells(activation: Activation) -> Training:
    return classify(data.breast_cancer(), lambda: mlp((30, *[24] * 6, 2), activation), sgd(0.1), 250)


def _digits(activation: Activation) -> Training:
    return classify(data.digits(), lambda: mlp((64, *[32] * 10, 10), activation), adam(0.001), 400)


def _surface(activation: Activation) -> Training:
    return regress(data.friedman(), lambda: mlp((10, *[24] * 20, 1), activation), rmsprop(0.0005), 300)


def _wine(gain: float) -> Training:
    return classify(data.wine(), lambda: _tower((13, *[24] * 12, 3), nn.Tanh, gain), sgd(0.02, momentum=0.9), 300)


class _DeepFilters(nn.Module):
    """Seven 3x3 convolutions and a linear head on the mean of each map."""

    def __init__(self, activation: Activation) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, 12, 3, padding=1), activation()]
        for _ in range(6):
            layers += [nn.Conv2d(12, 12, 3, padding=1), activation()]
        self.filters = nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten())
        self.head = nn.Linear(12 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, 10)``."""
        logits: Tensor = self.head(self.filters(x))
        return logits


def _filters(activation: Activation) -> Training:
    return classify(data.digit_images(), lambda: _DeepFilters(activation), adam(0.003), 150)


def _reader(scale: float, make: Callable[[], SequenceReader]) -> nn.Module:
    """Return the reader with its recurrent weights set to ``scale`` times an orthogonal matrix."""
    model = make()
    with torch.no_grad():
        weight = model.recurrent.weight_hh_l0
        assert isinstance(weight, Tensor)
        weight.copy_(scale * nn.init.orthogonal_(torch.empty_like(weight)))
    return model


def _memory(scale: float) -> Training:
    held = data.first_symbol(length=15)
    return classify(held, lambda: _reader(scale, lambda: SequenceReader(4, 32, 4)), adam(0.001), 400)


def _walk_relu(scale: float) -> Training:
    def make() -> SequenceReader:
        model = SequenceReader(1, 32, 1)
        model.recurrent = nn.RNN(1, 32, nonlinearity="relu", batch_first=True)
        return model

    return regress(data.bit_sums(), lambda: _reader(scale, make), sgd(0.01), 300)


def _relu_tower(gain: float) -> Training:
    return classify(data.digits(), lambda: _tower((64, *[48] * 12, 10), nn.ReLU, gain), sgd(0.01, momentum=0.9), 250)


def _short_relu_tower(gain: float) -> Training:
    return regress(data.friedman(), lambda: _tower((10, *[32] * 8, 1), nn.ReLU, gain), sgd(0.01), 400)


PATIENTS = (
    Patient(
        name="six_sigmoid_layers_on_cells",
        label="vanishing_gradient",
        family="mlp",
        task="classification",
        good=0.85,
        training=partial(_cells, nn.Sigmoid),
        healed=partial(_cells, nn.Tanh),
    ),
    Patient(
        name="ten_sigmoid_layers_with_adam",
        label="vanishing_gradient",
        family="mlp",
        task="classification",
        good=0.5,
        training=partial(_digits, nn.Sigmoid),
        healed=partial(_digits, nn.Tanh),
    ),
    Patient(
        name="twenty_sigmoid_layers_on_a_surface",
        label="vanishing_gradient",
        family="mlp",
        task="regression",
        good=0.6,
        training=partial(_surface, nn.Sigmoid),
        healed=partial(_surface, nn.Tanh),
    ),
    Patient(
        name="twelve_tanh_layers_drawn_too_small",
        label="vanishing_gradient",
        family="mlp",
        task="classification",
        good=0.85,
        also_true=frozenset({"bad_init_scale"}),
        training=partial(_wine, 0.3),
        healed=partial(_wine, 1.0),
    ),
    Patient(
        name="seven_sigmoid_convolutions",
        label="vanishing_gradient",
        family="cnn",
        task="classification",
        good=0.7,
        training=partial(_filters, nn.Sigmoid),
        healed=partial(_filters, nn.Tanh),
    ),
    Patient(
        name="contracting_rnn_forgets",
        label="vanishing_gradient",
        family="rnn",
        task="classification",
        good=0.8,
        also_true=frozenset({"bad_init_scale", "lr_too_low"}),
        training=partial(_memory, 0.03),
        healed=partial(_memory, 1.0),
    ),
    Patient(
        name="relu_rnn_quadruples_at_every_step",
        label="exploding_gradient",
        family="rnn",
        task="regression",
        good=0.5,
        also_true=frozenset({"bad_init_scale", "nan_inf"}),
        training=partial(_walk_relu, 4.0),
        healed=partial(_walk_relu, 1.0),
    ),
    Patient(
        name="twelve_relu_layers_tripled",
        label="exploding_gradient",
        family="mlp",
        task="classification",
        good=0.8,
        also_true=frozenset({"bad_init_scale", "nan_inf", "oscillating_loss"}),
        training=partial(_relu_tower, 4.2),
        healed=partial(_relu_tower, 1.4),
    ),
    Patient(
        name="eight_relu_layers_a_little_too_large",
        label="exploding_gradient",
        family="mlp",
        task="regression",
        good=0.4,
        also_true=frozenset({"bad_init_scale", "nan_inf", "oscillating_loss"}),
        training=partial(_short_relu_tower, 2.4),
        healed=partial(_short_relu_tower, 1.4),
    ),
)
