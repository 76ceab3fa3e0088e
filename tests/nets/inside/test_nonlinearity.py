r"""The measure against its closed form 1 − E[φ z]² / Var φ by quadrature, per layer and end to end."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate
from torch import nn

from kazami.nets import nonlinearity
from tests.nets.models import Written, normal, seeded_model


def closed_form(phi):
    def mean(g):
        def weighted(z):
            return g(z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

        return sum(integrate.quad(weighted, *ends, limit=200)[0] for ends in ((-12, -1), (-1, 0), (0, 1), (1, 12)))

    middle = mean(phi)
    return 1 - mean(lambda z: phi(z) * z) ** 2 / (mean(lambda z: phi(z) ** 2) - middle**2)


@pytest.mark.parametrize(
    ("module", "phi"),
    [
        (nn.ReLU(), lambda z: max(z, 0.0)),
        (nn.Tanh(), math.tanh),
        (nn.Sigmoid(), lambda z: 1 / (1 + math.exp(-z))),
        (nn.Hardtanh(), lambda z: min(1.0, max(-1.0, z))),
        (Written(lambda _, x: x**2), lambda z: z * z),
        (Written(lambda _, x: torch.sign(x)), lambda z: math.copysign(1.0, z)),
    ],
)
def test_activations_on_normal_numbers(module, phi):
    found = nonlinearity(module, normal(20_000, 1, seed=3))
    assert abs(found.value - closed_form(phi)) < 4 * found.standard_error + 1e-9


def test_the_jacobian_of_few_rows_agrees_with_least_squares_of_many():
    model = seeded_model(lambda: nn.Sequential(nn.Linear(30, 40), nn.Tanh(), nn.Linear(40, 3)))
    model[0].weight.data *= 4
    many, few = nonlinearity(model, normal(4000, 30), layers=False), nonlinearity(model, normal(40, 30, seed=1), layers=False)
    assert (many.method, few.method) == ("least squares", "mean Jacobian")
    assert abs(many.value - few.value) < 3 * few.standard_error + 0.05


@pytest.mark.parametrize("rows", [5, 400])
def test_an_affine_network_is_exactly_zero(rows):
    model = seeded_model(lambda: nn.Sequential(nn.Linear(20, 30), nn.Dropout(), nn.BatchNorm1d(30), nn.Linear(30, 2)))
    found = nonlinearity(model, normal(rows, 20))
    assert found.value == 0.0
    assert [layer.share for layer in found.layers] == [0.0] * 4


def test_layers_are_measured_on_what_reaches_them():
    model = seeded_model(lambda: nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)))
    x = normal(300, 4)
    assert nonlinearity(model, x).layers[1].share > 0.1
    model[0].bias.data += 100.0
    shares = nonlinearity(model, x)
    assert (shares.value, shares.layers[1].share) == (0.0, 0.0)


def test_a_pure_even_function_is_all_beyond_affine():
    assert nonlinearity(Written(lambda _, x: torch.cos(x)), normal(5000, 1)).value == pytest.approx(1.0, abs=0.01)


def test_too_little_data_is_said():
    found = nonlinearity(nn.ReLU(), normal(2, 3))
    assert math.isnan(found.value)
    assert "2 rows of data" in found.said[0].en
    assert found.to_dict()["value"] is None
    assert np.isnan(nonlinearity(Written(lambda _, x: x - x.mean(0)), normal(5, 3)).value)
