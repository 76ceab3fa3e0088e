"""Exact distances to kinks against closed forms and bisection, for every operation that has kinks."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.nets.inside.input_output_map import input_output_map
from kazami.nets.inside.kinks import kink_along, nearest_kink
from tests.nets.models import Written, normal, seeded_model

CONTEXT = torch.zeros(1, dtype=torch.long)


def bisected(function, row, direction):
    """Return the distance at which the function leaves its first linear piece, without knowing its kinks."""
    tiny = 1e-7
    slope = (function(row + tiny * direction) - function(row)) / tiny

    def bends(distance):
        return float((function(row + distance * direction) - function(row) - distance * slope).abs().max()) > 1e-8 * (1 + distance)

    low, high = 0.0, 1e-3
    while not bends(high) and high < 1e2:
        low, high = high, high * 1.5
    for _ in range(20):
        low, high = (low, (low + high) / 2) if bends((low + high) / 2) else ((low + high) / 2, high)
    return low


NETWORKS = {
    "relu": (lambda: nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2)), (1, 3)),
    "leaky": (lambda: nn.Sequential(nn.Linear(3, 6), nn.LeakyReLU(0.2), nn.Linear(6, 2)), (1, 3)),
    "relu6": (lambda: nn.Sequential(nn.Linear(3, 6), nn.ReLU6(), nn.Linear(6, 2)), (1, 3)),
    "hardtanh": (lambda: nn.Sequential(nn.Linear(3, 6), nn.Hardtanh(-0.3, 0.4), nn.Linear(6, 2)), (1, 3)),
    "clamp": (lambda: Written(lambda self, x: self.f(x).clamp(-0.2, 0.3).abs(), f=nn.Linear(3, 4)), (1, 3)),
    "prelu": (lambda: nn.Sequential(nn.Linear(3, 6), nn.PReLU(), nn.Linear(6, 2)), (1, 3)),
    "maximum": (lambda: Written(lambda self, x: torch.maximum(self.f(x), self.g(x)), f=nn.Linear(3, 4), g=nn.Linear(3, 4)), (1, 3)),
    "pool": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2)), (1, 1, 6, 6)),
    "padded pool": (lambda: nn.Sequential(nn.Conv1d(1, 2, 3), nn.MaxPool1d(3, stride=2, padding=1)), (1, 1, 9)),
    "hardsigmoid": (lambda: nn.Sequential(nn.Linear(3, 6), nn.Hardsigmoid(), nn.Linear(6, 2)), (1, 3)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_first_kink_along_a_direction_is_where_bisection_finds_it(name):
    make, shape = NETWORKS[name]
    function = input_output_map(seeded_model(make), normal(*shape))
    nearest = nearest_kink(function, function.rows, CONTEXT)
    for seed in range(2):
        direction = normal(1, function.n_inputs, seed=10 + seed)
        direction /= torch.linalg.vector_norm(direction)
        exact = kink_along(function, function.rows, direction, CONTEXT)
        found = bisected(function.in_chunks, function.rows, direction)
        assert exact == pytest.approx(found, rel=1e-3, abs=1e-6)
        assert nearest <= exact * (1 + 1e-12)


def test_the_nearest_kink_of_one_layer_is_the_distance_to_a_plane():
    layer = nn.Linear(2, 2).double()
    layer.weight.data = torch.tensor([[3.0, 4.0], [1.0, 0.0]], dtype=torch.float64)
    layer.bias.data = torch.tensor([-10.0, 7.0], dtype=torch.float64)
    function = input_output_map(nn.Sequential(layer, nn.ReLU()), torch.zeros(1, 2, dtype=torch.float64))
    assert nearest_kink(function, function.rows, CONTEXT) == pytest.approx(2.0)
    towards = torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    assert kink_along(function, function.rows, towards, CONTEXT) == pytest.approx(2.0)
    assert kink_along(function, function.rows, -towards, CONTEXT) == pytest.approx(7 / 0.6)


def test_without_kinks_there_is_no_distance():
    function = input_output_map(seeded_model(lambda: Written(lambda self, x: F.gelu(self.f(x)), f=nn.Linear(2, 2))), normal(1, 2))
    assert math.isinf(nearest_kink(function, function.rows, CONTEXT))
