"""Hidden units at their flat ends: an output layer that swings over them, one that is content with them, and squashing layers that are only near it."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import initialise, mlp
from .more_tasks import adam, classify, sgd


def _unit_normal(sizes: tuple[int, ...], activation: Callable[[], nn.Module], deviation: float = 1.0) -> nn.Module:
    return initialise(mlp(sizes, activation), partial(nn.init.normal_, std=deviation))


def _iris_at(rate: float) -> Training:
    """Raw centimetres, sigmoids, unit normal weights, all samples at once: at a rate of 5 the hidden units are flat within a few steps."""
    return classify(data.iris(scale="raw"), lambda: _unit_normal((4, 20, 3), nn.Sigmoid), sgd(rate), 400, size=None)


def _iris_in_two_layers(rate: float) -> Training:
    """Two tanh layers: with sixteen units of size one the output layer is stable up to a third."""
    return classify(data.iris(scale="raw"), lambda: _unit_normal((4, 16, 16, 3), nn.Tanh, 0.4), sgd(rate), 400, size=None)


def _is_third(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(output, (target == 2).float().unsqueeze(1))


def _virginica_at(rate: float) -> Training:
    """One logit, momentum, and default weights: is it the third species or not?"""
    d = data.iris(scale="raw")
    return classify(
        d,
        lambda: mlp((4, 24, 1), nn.Tanh),
        sgd(rate, momentum=0.5),
        400,
        size=None,
        loss=_is_third,
        evaluate=data.accuracy(d.x_test, (d.y_test == 2).long()),
    )


class _SignFeatures(nn.Module):
    """Very steep tanh units, drawn once and hardly trained, and a linear layer that reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(64, 300), nn.Linear(300, 10)
        nn.init.normal_(self.hidden.weight, std=3.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits of shape ``(n, 10)``."""
        logits: torch.Tensor = self.out(torch.tanh(self.hidden(x)))
        return logits


def _sign_features() -> Training:
    """Every hidden unit is flat and only the output layer learns, and does so well."""
    return classify(data.digits(), _SignFeatures, sgd(0.02), 300)


def _bold_but_steady() -> Training:
    """A rate at the edge of stability on sigmoids with room."""
    return classify(data.iris(), lambda: mlp((4, 16, 3), nn.Sigmoid), sgd(2.0), 300, size=None)


def _confident_wine() -> Training:
    """Wide tanh weights and Adam: flat, and right."""
    return classify(data.wine(), lambda: _unit_normal((13, 48, 3), nn.Tanh), adam(0.01), 200, size=None)


def _ill(name: str, make: Callable[[float], Training], ill: float, well: float, good: float, *also: str) -> Patient:
    return Patient(
        name=name,
        label="saturated_but_moving",
        family="mlp",
        task="classification",
        training=partial(make, ill),
        healed=partial(make, well),
        good=good,
        also_true=frozenset({"saturated", "lr_too_high", "oscillating_loss", *also}),
    )


PATIENTS = (
    _ill("iris_centimetres_at_five", _iris_at, 5.0, 0.2, 0.85, "trivial_solution"),
    _ill("iris_in_two_tanh_layers_at_two", _iris_in_two_layers, 2.0, 0.03, 0.85),
    _ill("third_iris_at_eight", _virginica_at, 8.0, 0.1, 0.85),
    *(
        Patient(name=name, label=None, family="mlp", task="classification", training=make, good=good, near_boundary=True)
        for name, make, good in (
            ("sign_features_and_a_reader", _sign_features, 0.85),
            ("iris_sigmoids_at_two", _bold_but_steady, 0.85),
            ("wine_confident_in_tanh", _confident_wine, 0.9),
        )
    ),
)
