"""Units that are dead, saturated or drawn at the wrong scale, from a third of them to all."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, SmallCnn, TinyTransformer, mlp
from .more_tasks import adam, adamw, classify, regress, rmsprop, sgd


def _biased(model: nn.Sequential, share: float, bias: float) -> nn.Sequential:
    """Return ``model`` with ``bias`` in the first ``share`` of the units of its first linear layer."""
    first = model[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        first.bias[: round(share * first.out_features)] = bias
    return model


def _times(factor: float, make: Callable[[], nn.Module]) -> nn.Module:
    """Return the model with all its weights of two or more dimensions multiplied by ``factor``."""
    model = make()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(factor)
    return model


def _spirals_mostly_dead(bias: float) -> Training:
    return classify(data.spirals(), lambda: _biased(mlp((2, 64, 2)), 0.95, bias), adam(0.02), 400, size=64)


def _curve_all_dead(bias: float) -> Training:
    return regress(data.sines(periods=1.0), lambda: _biased(mlp((1, 40, 1)), 1.0, bias), rmsprop(0.003), 400)


def _dark_maps(model: SmallCnn, bias: float) -> SmallCnn:
    with torch.no_grad():
        for convolution in (model.conv1, model.conv2):
            convolution.bias[: round(0.9 * convolution.out_channels)] = bias  # type: ignore[index]
    return model


def _images_dark(bias: float) -> Training:
    return classify(data.digit_images(), lambda: _dark_maps(SmallCnn(), bias), sgd(0.05, momentum=0.9), 250)


def _pushed(model: nn.Sequential, bias: float) -> nn.Sequential:
    with torch.no_grad():
        for layer in list(model)[:-1]:
            if isinstance(layer, nn.Linear):
                layer.bias.fill_(bias)
    return model


def _sigmoids_pushed(bias: float) -> Training:
    return classify(data.digits(), lambda: _pushed(mlp((64, 48, 48, 10), nn.Sigmoid), bias), adam(0.003), 250)


def _tanh_wide(factor: float) -> Training:
    return classify(data.digits(), lambda: _times(factor, lambda: mlp((64, 48, 48, 10), nn.Tanh)), sgd(0.05), 300)


def _reader_wide(factor: float) -> Training:
    return classify(data.digit_rows(), lambda: _times(factor, lambda: SequenceReader(8, 32, 10)), rmsprop(0.001), 300)


def _rims_small(factor: float) -> Training:
    return classify(data.circles(), lambda: _times(factor, lambda: mlp((2, 32, 32, 32, 2))), sgd(0.05, momentum=0.9), 300)


def _surface_wide(factor: float) -> Training:
    return regress(data.friedman(), lambda: _times(factor, lambda: mlp((10, 64, 64, 64, 1))), adam(0.001), 300)


def _votes_wide(factor: float) -> Training:
    return classify(data.commonest_token(), lambda: _times(factor, lambda: TinyTransformer(3, 9, 3, norm_first=False)), adamw(0.001), 150)


class _Gated(nn.Module):
    """An LSTM whose gates all start at ``bias``: at -8 nothing enters, nothing leaves."""

    def __init__(self, bias: float) -> None:
        super().__init__()
        self.reader = SequenceReader(8, 32, 10, cell="lstm")
        with torch.no_grad():
            for name, parameter in self.reader.recurrent.named_parameters():
                if name.startswith("bias_ih"):
                    parameter[:64] = bias  # input and forget gate
                    parameter[96:] = bias  # output gate

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, 10)``."""
        logits: Tensor = self.reader(x)
        return logits


def _gates(bias: float) -> Training:
    return classify(data.digit_rows(), lambda: _Gated(bias), adam(0.01), 250)


PATIENTS = (
    Patient(
        name="nineteen_of_twenty_units_dead_on_spirals",
        label="dead_units",
        family="mlp",
        task="classification",
        good=0.9,
        also_true=frozenset({"bad_init_scale"}),
        training=partial(_spirals_mostly_dead, -20.0),
        healed=partial(_spirals_mostly_dead, 0.0),
    ),
    Patient(
        name="curve_without_a_living_unit",
        label="dead_units",
        family="mlp",
        task="regression",
        good=0.8,
        also_true=frozenset({"bad_init_scale"}),
        training=partial(_curve_all_dead, -3.0),
        healed=partial(_curve_all_dead, 0.0),
    ),
    Patient(
        name="nine_of_ten_maps_dark",
        label="dead_units",
        family="cnn",
        task="classification",
        good=0.85,
        also_true=frozenset({"bad_init_scale"}),
        training=partial(_images_dark, -15.0),
        healed=partial(_images_dark, 0.0),
    ),
    Patient(
        name="sigmoids_pushed_to_one",
        label="saturated",
        family="mlp",
        task="classification",
        good=0.9,
        also_true=frozenset({"bad_init_scale", "vanishing_gradient"}),
        training=partial(_sigmoids_pushed, 12.0),
        healed=partial(_sigmoids_pushed, 0.0),
    ),
    Patient(
        name="lstm_gates_shut",
        label="saturated",
        family="lstm",
        task="classification",
        good=0.8,
        also_true=frozenset({"bad_init_scale", "vanishing_gradient"}),
        training=partial(_gates, -8.0),
        healed=partial(_gates, 0.0),
    ),
    Patient(
        name="tanh_weights_times_thirty",
        label="saturated",
        family="mlp",
        task="classification",
        good=0.9,
        also_true=frozenset({"bad_init_scale"}),
        training=partial(_tanh_wide, 30.0),
        healed=partial(_tanh_wide, 1.0),
    ),
    Patient(
        name="rnn_weights_times_ten",
        label="bad_init_scale",
        family="rnn",
        task="classification",
        good=0.85,
        also_true=frozenset({"saturated", "exploding_gradient"}),
        training=partial(_reader_wide, 10.0),
        healed=partial(_reader_wide, 1.0),
    ),
    Patient(
        name="rims_weights_a_tenth",
        label="bad_init_scale",
        family="mlp",
        task="classification",
        good=0.9,
        also_true=frozenset({"vanishing_gradient"}),
        training=partial(_rims_small, 0.1),
        healed=partial(_rims_small, 1.0),
    ),
    Patient(
        name="surface_weights_times_ten",
        label="bad_init_scale",
        family="mlp",
        task="regression",
        good=0.8,
        also_true=frozenset({"exploding_gradient"}),
        training=partial(_surface_wide, 10.0),
        healed=partial(_surface_wide, 1.0),
    ),
    Patient(
        name="votes_weights_times_a_hundred",
        label="bad_init_scale",
        family="transformer",
        task="classification",
        good=0.9,
        also_true=frozenset({"exploding_gradient", "saturated"}),
        training=partial(_votes_wide, 100.0),
        healed=partial(_votes_wide, 1.0),
    ),
)
