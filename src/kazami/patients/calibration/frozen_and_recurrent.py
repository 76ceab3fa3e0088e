"""Trunks that nobody trains although the head gets somewhere, and recurrent weights whose powers grow; and both where they do no harm."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, SmallCnn, TinyTransformer, mlp
from .more_tasks import adam, classify, regress

# ---------------------------------------------------------------- frozen


def _frozen(model: nn.Module, *names: str) -> nn.Module:
    for name, parameter in model.named_parameters():
        if name.startswith(names):
            parameter.requires_grad = False
    return model


def _some(model: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _narrow_body(is_frozen: bool) -> Training:
    """Ten random features of an untrained body, and a head that does what it can with them."""
    names = ("0.", "2.") if is_frozen else ("none",)
    return classify(data.digits(), lambda: _frozen(mlp((64, 24, 10, 10)), *names), lambda m: torch.optim.Adam(_some(m), lr=0.01), 300)


def _unread_pictures(is_frozen: bool) -> Training:
    """Convolutions as they were drawn, frozen by a line from another script."""
    names = ("conv1", "conv2") if is_frozen else ("none",)
    return classify(data.digit_images(), lambda: _frozen(SmallCnn(3), *names), lambda m: torch.optim.Adam(_some(m), lr=0.01), 300)


def _curve_on_a_standing_body(is_frozen: bool) -> Training:
    names = ("0.", "2.") if is_frozen else ("none",)
    d = data.friedman()
    return regress(d, lambda: _frozen(mlp((10, 16, 8, 1), nn.Tanh), *names), lambda m: torch.optim.Adam(_some(m), lr=0.01), 400)


def _standing_attention(is_frozen: bool) -> Training:
    """Everything but the head of a transformer stands still."""
    names = ("tokens", "positions", "encoder") if is_frozen else ("none",)
    d = data.reversed_tokens(length=5, vocabulary=6)
    return classify(
        d, lambda: _frozen(TinyTransformer(6, 5, 6, width=24, heads=2, per_token=True), *names), lambda m: torch.optim.Adam(_some(m), lr=0.005), 300
    )


@cache
def _learned_elsewhere() -> dict[str, Tensor]:
    """Convolutions that have learned to tell other digits apart."""
    d = data.digit_images()
    chosen = d.y < 6
    few = data.Data(d.x[chosen], d.y[chosen], d.x_test, d.y_test)
    run = classify(few, lambda: SmallCnn(6), adam(0.005), 150, evaluate=None).run()
    return {name: value.detach().clone() for name, value in run.model.state_dict().items() if name.startswith("conv")}


def _fine_tuned() -> Training:
    """Convolutions from elsewhere, frozen on purpose, and a new head."""

    def model() -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            learned = _learned_elsewhere()
        network = SmallCnn(6)
        network.load_state_dict(learned, strict=False)
        return _frozen(network, "conv1", "conv2")

    return classify(data.digit_images(), model, lambda m: torch.optim.Adam(_some(m), lr=0.01), 200)


def _reservoir() -> Training:
    """A recurrent layer that is never trained, on purpose, and wide enough."""

    def model() -> nn.Module:
        network = SequenceReader(1, 120, 1)
        nn.init.orthogonal_(network.recurrent.weight_hh_l0, 0.9)  # type: ignore[arg-type]
        return _frozen(network, "recurrent")

    return regress(data.waves(), model, lambda m: torch.optim.Adam(_some(m), lr=0.01), 300)


def _noisy_on_random_features() -> Training:
    """Wide random features that stand still under a noisy target: what is left is noise."""
    d = data.plane(600, features=4, noise=0.9)
    clean = data.plane(600, features=4, noise=0.0)
    return regress(
        d, lambda: _frozen(mlp((4, 200, 1)), "0."), lambda m: torch.optim.Adam(_some(m), lr=0.003), 300, evaluate=data.r2(clean.x_test, clean.y_test)
    )


def _tokens_that_stay() -> Training:
    """Embeddings that stay as they were drawn; the rest learns around them."""
    return classify(
        data.commonest_token(), lambda: _frozen(TinyTransformer(3, 9, 3, width=16, heads=2), "tokens"), lambda m: torch.optim.Adam(_some(m), lr=0.005), 300
    )


# ---------------------------------------------------------------- recurrent


def _reader(gain: float, length: int, optimizer: Any, steps: int = 250) -> Training:
    """The adding problem with recurrent weights of the given radius."""

    def model() -> nn.Module:
        network = SequenceReader(2, 32, 1)
        nn.init.orthogonal_(network.recurrent.weight_hh_l0, gain)  # type: ignore[arg-type]
        return network

    return regress(data.bit_sums(length=length).with_inputs(lambda x: torch.cat([x, x * 0.5], 2)), model, optimizer, steps)


class _ByHand(nn.Module):
    """A recurrent net written as a loop."""

    def __init__(self, gain: float, activation: Callable[[Tensor], Tensor], features: int = 4, outputs: int = 4) -> None:
        super().__init__()
        self.read, self.keep, self.head = nn.Linear(features, 32), nn.Linear(32, 32, bias=False), nn.Linear(32, outputs)
        nn.init.orthogonal_(self.keep.weight, gain)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        h = torch.zeros(len(x), 32)
        for t in range(x.shape[1]):
            h = self.activation(self.read(x[:, t]) + self.keep(h))
        z: Tensor = self.head(h)
        return z


def _loop(gain: float, activation: Callable[[Tensor], Tensor], length: int, optimizer: Any) -> Training:
    return classify(data.first_symbol(length=length), lambda: _ByHand(gain, activation), optimizer, 250)


def _loop_on_walks(gain: float) -> Training:
    """Where a random walk ends, by a loop of ReLU."""
    return regress(data.bit_sums(length=25), lambda: _ByHand(gain, F.relu, 1, 1), adam(0.002), 250)


def _remembers() -> Training:
    return _loop(1.0, torch.tanh, 12, adam(0.003)).replaced(steps=400)


def _ill(label: str, name: str, family: str, ill: Any, well: Any, good: float, task: Any, *also: str) -> Patient:
    return Patient(name=name, label=label, family=family, task=task, training=ill, healed=well, good=good, also_true=frozenset(also))


def _healthy(name: str, family: str, make: Callable[[], Training], good: float, task: Any = "classification") -> Patient:
    return Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=True)


def _of_frozen(name: str, family: str, make: Callable[[bool], Training], good: float, task: Any = "classification") -> Patient:
    return _ill("frozen_parameters", name, family, partial(make, True), partial(make, False), good, task)


WIDE = ("bad_init_scale", "saturated", "lr_too_high", "oscillating_loss", "exploding_gradient", "saturated_but_moving", "chaos")
WIDE_STEPS = tuple(name for name in WIDE if name not in ("chaos", "exploding_gradient"))
TUNED = (
    _of_frozen("narrow_body_that_stands", "mlp", _narrow_body, 0.9),
    _of_frozen("curve_on_a_standing_body", "mlp", _curve_on_a_standing_body, 0.75, "regression"),
    _ill("exploding_gradient", "radius_of_one_and_a_half", "rnn", partial(_reader, 1.7, 30, adam(0.002)), partial(_reader, 0.95, 30, adam(0.002)), 0.9,
         "regression", *WIDE_STEPS),
    _healthy("convolutions_from_elsewhere", "cnn", _fine_tuned, 0.9),
    _healthy("reservoir_that_is_wide", "rnn", _reservoir, 0.85, "regression"),
    _healthy("reader_that_keeps_its_size", "rnn", partial(_reader, 1.0, 20, adam(0.003)), 0.8, "regression"),
)  # fmt: skip
HELD = (
    _of_frozen("pictures_nobody_learned_to_read", "cnn", _unread_pictures, 0.9),
    _of_frozen("attention_that_stands", "transformer", _standing_attention, 0.8),
    _ill("exploding_gradient", "loop_that_grows", "rnn", partial(_loop_on_walks, 2.2), partial(_loop_on_walks, 1.0), 0.8, "regression",
         *WIDE_STEPS),
    _healthy("random_features_under_noise", "mlp", _noisy_on_random_features, 0.7, "regression"),
    _healthy("tokens_that_stay", "transformer", _tokens_that_stay, 0.85),
    _healthy("loop_that_remembers", "rnn", _remembers, 0.9),
)  # fmt: skip
PATIENTS = TUNED + HELD
