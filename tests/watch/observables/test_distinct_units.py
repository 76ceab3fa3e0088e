"""Units are the same when weights and gradients are."""

import math

import torch

from kazami.watch.observables.distinct_units import DistinctUnits
from tests.watch.observables.sights import made


def test_equal_rows_with_equal_gradients_count_once():
    rows, gradients = torch.randn(6, 5), torch.randn(6, 5)
    rows[1], gradients[1] = rows[0], gradients[0]
    rows[2] = rows[0]
    assert DistinctUnits().measure(made(rows, gradient=gradients)) == 5 / 6


def test_constant_weights_are_one_unit():
    assert DistinctUnits().measure(made(torch.ones(8, 3), gradient=torch.ones(8, 3))) == 1 / 8


def test_random_units_are_all_different():
    assert DistinctUnits().measure(made(torch.randn(64, 9), gradient=torch.randn(64, 9))) == 1.0


def test_without_a_gradient_nothing_is_said():
    assert math.isnan(DistinctUnits().measure(made(torch.ones(8, 3))))
