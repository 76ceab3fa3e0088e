"""The radius of the linear model against closed forms."""

import math

import pytest
import torch

from kazami.nets import local_model
from tests.nets.models import Written, normal


def test_the_radius_of_a_parabola_is_its_tolerance():
    # f = x + c x² / 2 at 0: the error over r σ₁ is c r / 2, which is 10 % at r = 0.2 / c
    around = local_model(Written(lambda _, x: x + 2.0 * x**2), torch.zeros(1, 1, dtype=torch.float64))
    assert around.radius == pytest.approx(0.05, rel=1e-6)


def test_the_worst_direction_is_found_among_many():
    # only x₁ bends: the worst direction is the first axis; a random one in 30 dimensions misses it
    def forward(_, x):
        return torch.cat([x[:, :1] + x[:, :1] ** 2, x[:, 1:]], 1)

    around = local_model(Written(forward), torch.zeros(1, 30, dtype=torch.float64))
    assert abs(float(around.worst_direction[0])) > 0.99
    assert around.radius == pytest.approx(0.1, rel=0.02)


def test_an_affine_network_has_no_end_and_a_dead_one_counts_in_outputs():
    assert math.isinf(local_model(Written(lambda _, x: 3 * x + 1), normal(1, 4)).radius)
    around = local_model(Written(lambda _, x: torch.relu(x - 2.0) + 1.0), torch.zeros(1, 1, dtype=torch.float64), tolerance=0.5)
    assert around.radius == pytest.approx(2.5, rel=1e-3)


def test_scale_does_not_matter():
    small = local_model(Written(lambda _, x: 1e-3 * (x + x**2)), torch.zeros(1, 1, dtype=torch.float64)).radius
    assert small == pytest.approx(0.1, rel=1e-6)
