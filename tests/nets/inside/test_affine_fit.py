"""Shares of variance against explicit leave-one-out fits."""

import numpy as np
import pytest
import torch

from kazami.nets.inside.affine_fit import least_squares, mean_jacobian, per_unit
from tests.nets.models import normal


def left_out(x, y):
    """Fit without each row in turn, and return the share that is left."""
    errors, variances = [], []
    for i in range(len(x)):
        others = np.arange(len(x)) != i
        design = np.column_stack([x[others], np.ones(others.sum())])
        weights = np.linalg.lstsq(design, y[others], rcond=None)[0]
        errors.append(((y[i] - np.append(x[i], 1) @ weights) ** 2).sum())
        variances.append(((y[i] - y[others].mean(0)) ** 2).sum())
    return sum(errors) / sum(variances)


def test_least_squares_equals_fitting_without_each_row():
    x, y = normal(30, 4), torch.sin(normal(30, 4) @ normal(4, 2, seed=1)) + normal(30, 2, seed=2)
    found = least_squares(x, y)
    assert found.share == pytest.approx(left_out(x.numpy(), y.numpy()), rel=1e-10)
    assert least_squares(x[:9], y[:9]) is None


def test_per_unit_equals_fitting_each_unit_without_each_row():
    x = normal(20, 1)
    assert per_unit(x, torch.relu(x)).share == pytest.approx(left_out(x.numpy(), torch.relu(x).numpy()), rel=1e-10)


def test_a_constant_and_constant_inputs_are_affine():
    assert per_unit(normal(8, 2), torch.ones(8, 2).double()).share == 0.0
    assert least_squares(normal(8, 1).expand(8, 3).contiguous(), 2 * normal(8, 1)).share == 0.0


def test_the_mean_jacobian_is_exact_for_affine_maps_with_fewer_rows_than_inputs():
    x, w = normal(6, 40), normal(40, 3, seed=1)
    found = mean_jacobian(x, x @ w + 1.0, lambda points, tangents, index: tangents @ w, 7)
    assert found.share == 0.0
    assert mean_jacobian(x[:2], x[:2] @ w, lambda points, tangents, index: tangents @ w, 7) is None


def test_the_standard_error_covers_other_samples():
    values = [per_unit(x, torch.relu(x)) for x in (normal(400, 1, seed=seed) for seed in range(60))]
    spread = np.std([found.share for found in values], ddof=1)
    assert np.mean([found.standard_error for found in values]) == pytest.approx(spread, rel=0.3)
