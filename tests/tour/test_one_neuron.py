"""The neuron with two weights: its gradient, its minimum and its walks, against autograd and scipy."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from kazami.tour.one_neuron import LOCAL_START, START, gradients, grid, neuron, petals, stationary, walks


def loss_of(point):
    """Return the loss, written in NumPy only."""
    x, y = petals()
    return 0.5 * np.mean((1 / (1 + np.exp(-(point[0] * x + point[1]))) - y) ** 2)


def test_the_gradient_is_that_of_autograd_and_of_differences():
    points = np.random.default_rng(0).normal(size=(20, 2)) * 3
    np.testing.assert_allclose(gradients(points), neuron().gradient(torch.from_numpy(points)).numpy(), atol=1e-14)
    for point in points[:5]:
        numeric = [(loss_of(point + shift) - loss_of(point - shift)) / 2e-6 for shift in 1e-6 * np.eye(2)]
        np.testing.assert_allclose(gradients(point[None])[0], numeric, atol=1e-9)


def test_the_lowest_point_is_the_one_scipy_finds_and_there_is_a_local_one():
    lowest, *others = [point for point in stationary() if point.kind == "minimum"]
    found = minimize(loss_of, [0.0, 0.0], tol=1e-12)
    assert (lowest.w1, lowest.w2) == pytest.approx(tuple(found.x), abs=1e-4)
    assert lowest.loss == pytest.approx(found.fun)
    assert others
    assert all(other.loss > lowest.loss for other in others)


def test_twice_over_the_curvature_parts_what_arrives_from_what_does_not():
    sharpness = max(stationary()[0].eigenvalues)
    below, above = walks([START, START], [1.9 / sharpness, 2.2 / sharpness], steps=600)
    assert below.fate == "minimum"
    assert (above.fate, above.period) == ("cycle", 2)


def test_another_start_ends_in_the_local_minimum():
    (walk,) = walks([LOCAL_START], [20.0], steps=2000)
    assert walk.fate == "local minimum"
    assert walk.losses[-1] > 1.5 * stationary()[0].loss


def test_the_grid_is_the_loss():
    first, second, values = grid(5)
    assert values[3, 1] == pytest.approx(loss_of((first[1], second[3])))
