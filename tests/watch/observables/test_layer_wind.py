"""The wind is a logarithm without a unit."""

import math

import pytest
import torch

from kazami.watch.observables.layer_wind import LayerWind
from tests.watch.observables.sights import made


def wind(gradient, weight, reference):
    return LayerWind().measure(made(torch.ones(2, 2), gradient_norm=gradient, weight_norm=weight, reference_loss=reference))


def test_the_formula():
    assert wind(0.02, 5.0, 2.0) == pytest.approx(math.log10(0.05))


def test_a_multiple_of_the_loss_changes_nothing():
    assert wind(0.02 * 7, 5.0, 2.0 * 7) == pytest.approx(wind(0.02, 5.0, 2.0))


def test_its_ends():
    assert wind(0.0, 5.0, 2.0) == -20.0
    assert wind(1e-300, 1e-10, 2.0) == -20.0
    assert math.isnan(wind(math.inf, 5.0, 2.0))
    assert math.isnan(wind(math.nan, 5.0, 2.0))
    assert math.isnan(wind(1.0, 5.0, math.nan))
