"""Units at their flat ends, in places where a mean over a whole layer hides them or no activation stands by itself; and flat ends that do no harm."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, SmallCnn, mlp
from .more_tasks import adam, classify, regress, sgd


def _pushed(bias: float) -> Training:
    """Sigmoid units whose biases were set far out: they are on, whatever comes."""
    d = data.friedman()

    def model() -> nn.Module:
        network = mlp((10, 32, 32, 1), nn.Sigmoid)
        for layer in (network[0], network[2]):
            nn.init.constant_(layer.bias, bias)  # type: ignore[arg-type]
        return network

    return regress(d, model, sgd(0.1, momentum=0.9), 400)


def _loud_tokens(size: float) -> Training:
    """Sums of embeddings, sixty times too loud for the tanh that is to weigh them."""
    d = data.commonest_token(vocabulary=4)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens = nn.Embedding(4, 16)
            self.first, self.second, self.head = nn.Linear(16, 24), nn.Linear(24, 8), nn.Linear(8, 4)

        def forward(self, x: Tensor) -> Tensor:
            h = size * torch.tanh(self.first(self.tokens(x))).sum(1)
            z: Tensor = self.head(torch.tanh(self.second(h)))
            return z

    return classify(d, Net, sgd(0.05), 250)


def _closed_gates(bias: float) -> Training:
    """An LSTM whose input and output gates start shut."""
    d = data.bit_sums(length=10)

    def model() -> nn.Module:
        network = SequenceReader(1, 24, 1, cell="lstm")
        for name, p in network.recurrent.named_parameters():
            if "bias_ih" in name:
                p.data[:24] = bias
                p.data[72:] = bias
        return network

    return regress(d, model, sgd(0.1, momentum=0.9), 250)


def _loud_pictures(gain: float) -> Training:
    """Convolutions with thirty times the weights, into tanh."""

    def model() -> nn.Module:
        network = SmallCnn(activation=nn.Tanh)
        for layer in (network.conv1, network.conv2):
            layer.weight.data *= gain
        return network

    return classify(data.digit_images(), model, sgd(0.05), 250)


def _inner_clock(size: float) -> Training:
    """The model appends features of its own, in units of a thousandth of its inputs, before a tanh layer."""
    d = data.sines(periods=1.0)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.head = nn.Linear(3, 48), nn.Linear(48, 1)

        def forward(self, x: Tensor) -> Tensor:
            seconds = torch.cat([x, size * (x + 1.0), size * (x.square() + 1.0)], 1)
            y: Tensor = self.head(torch.tanh(self.first(seconds)))
            return y

    return regress(d, Net, adam(0.01), 400)


def _clipped_units(gain: float) -> Training:
    """Hard tanh units with weights ten times too large."""

    def model() -> nn.Module:
        network = mlp((10, 48, 48, 48, 1), nn.Hardtanh)
        for place in (0, 2, 4):
            network.get_parameter(f"{place}.weight").data *= gain
        return network

    return regress(data.friedman(), model, sgd(0.02, momentum=0.9), 300)


# ---------------------------------------------------------------- healthy


def _certain() -> Training:
    """Tanh units that become sharp because the answer is."""
    return classify(data.circles(), lambda: mlp((2, 32, 2), nn.Tanh), adam(0.05), 400)


def _open_memory() -> Training:
    """Forget gates that start open, as they should."""
    d = data.first_symbol(length=12)

    def model() -> nn.Module:
        network = SequenceReader(4, 32, 4, cell="lstm")
        for name, p in network.recurrent.named_parameters():
            if "bias_ih" in name:
                p.data[32:64] = 4.0
        return network

    return classify(d, model, adam(0.01), 300)


def _switches() -> Training:
    """Half the units of a layer are switches that were set on purpose, and stay out of the way."""

    def model() -> nn.Module:
        network = mlp((10, 64, 1), nn.Tanh)
        network.get_parameter("0.bias").data[:32] = 8.0
        return network

    return regress(data.friedman(), model, adam(0.01), 400)


def _bounded_answers() -> Training:
    """Answers of +1 and -1 from a tanh at the end."""
    d = data.circles()
    signs = data.Data(d.x, (2.0 * d.y - 1.0).unsqueeze(1), d.x_test, (2.0 * d.y_test - 1.0).unsqueeze(1))
    return regress(signs, lambda: mlp((2, 32, 32, 1), nn.Tanh, output=nn.Tanh()), adam(0.02), 400)


def _ill(name: str, family: str, make: Callable[[float], Training], ill: float, well: float, good: float, task: Any, *also: str) -> Patient:
    return Patient(
        name=name, label="saturated", family=family, task=task, training=partial(make, ill), healed=partial(make, well), good=good,
        also_true=frozenset({"bad_init_scale", "vanishing_gradient", "saturated_but_moving", "trivial_solution", *also}),
    )  # fmt: skip


def _healthy(name: str, family: str, make: Callable[[], Training], good: float, task: Any) -> Patient:
    return Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=True)


TUNED = (
    _ill("sigmoids_pushed_on", "mlp", _pushed, 9.0, 0.0, 0.6, "regression"),
    _ill("loud_tokens_into_tanh", "mlp", _loud_tokens, 60.0, 0.3, 0.9, "classification", "input_scaling"),
    _ill("gates_that_start_shut", "lstm", _closed_gates, -8.0, 0.0, 0.8, "regression"),
    _healthy("tanh_that_is_certain", "mlp", _certain, 0.95, "classification"),
    _healthy("memory_that_starts_open", "lstm", _open_memory, 0.9, "classification"),
)
HELD = (
    _ill("loud_pictures_into_tanh", "cnn", _loud_pictures, 40.0, 1.0, 0.8, "classification", "lr_too_high"),
    _ill("seconds_made_inside", "mlp", _inner_clock, 3000.0, 1.0, 0.9, "regression", "input_scaling"),
    _ill("clipped_units", "mlp", _clipped_units, 25.0, 1.0, 0.7, "regression", "exploding_gradient", "lr_too_high"),
    _healthy("switches_beside_units", "mlp", _switches, 0.7, "regression"),
    _healthy("answers_of_plus_and_minus_one", "mlp", _bounded_answers, 0.8, "regression"),
)
PATIENTS = TUNED + HELD
