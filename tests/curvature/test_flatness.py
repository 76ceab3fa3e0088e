"""How many directions are flat, against problems whose null space is known."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kazami.curvature import TrainingCurvature, flat_directions
from kazami.curvature.thresholds import drift_rate

from .models import numbers, training


def line(optimizer, steps=100, n_in=6):
    """Linear least squares, three independent inputs of six: three flat directions per output."""
    inputs = numbers(40, 3).double() @ numbers(3, n_in, seed=5).double()
    return training(lambda: nn.Linear(n_in, 2, bias=False), F.mse_loss, [(inputs, numbers(40, 2, seed=2))], optimizer=optimizer, steps=steps)


def test_the_null_space_of_linear_least_squares_is_counted():
    found = flat_directions(TrainingCurvature.of(line(lambda model: torch.optim.SGD(model.parameters(), 0.1), steps=10**6)))
    assert (found.value, found.uncertainty) == (6.0, 0.0)
    assert found.details["flat_threshold"] == pytest.approx(1e-5)
    assert found.details["fraction"] == pytest.approx(0.5)


def test_flat_is_what_the_training_cannot_move_along():
    """Plain descent on a quadratic, really run: along exactly the directions not called flat a displacement shrinks by more than e."""
    given = line(lambda model: torch.optim.SGD(model.parameters(), 0.02), steps=60)
    curvature = TrainingCurvature.of(given)
    found = flat_directions(curvature)
    inputs = next(iter(given.batches()))[0].double()
    values = torch.linalg.eigvalsh(inputs.T @ inputs / 40).repeat(2)  # F.mse_loss over two outputs
    kept = (1.0 - 0.02 * values) ** 60
    assert 0 < int((kept < 0.3).sum()) < 12
    assert found.value == int((kept >= 1.0 / torch.e).sum())


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda parts: torch.optim.SGD(parts, 0.1), 0.1),
        (lambda parts: torch.optim.SGD(parts, 0.1, momentum=0.9), 1.0),
        (lambda parts: torch.optim.SGD(parts, 0.1, momentum=0.9, nesterov=True), 1.0),
        (lambda parts: torch.optim.SGD(parts, 0.1, momentum=0.9, dampening=0.5), 0.5),
    ],
)
def test_the_drift_is_what_torch_moves_along_a_constant_gradient(make, expected):
    weights = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = make([weights])
    for _ in range(400):
        before = weights.item()
        weights.grad = torch.ones_like(weights)
        optimizer.step()
    assert before - weights.item() == pytest.approx(expected, rel=1e-9)
    assert drift_rate(optimizer) == pytest.approx(expected)


def test_without_an_optimizer_flat_means_rounding():
    inputs = numbers(40, 3).double() @ numbers(3, 6, seed=5).double()
    found = flat_directions(TrainingCurvature(nn.Linear(6, 2, bias=False).double(), F.mse_loss, (inputs, numbers(40, 2, seed=2).double())))
    assert found.value == 6.0
    assert "rounding" in found.conditions[0]


def test_a_threshold_of_ones_own_and_a_large_matrix():
    given = training(lambda: nn.Linear(400, 2, bias=False), F.mse_loss, [(numbers(60, 400), numbers(60, 2, seed=2))])
    found = flat_directions(TrainingCurvature.of(given), threshold=1e-6)
    assert found.uncertainty > 0.0
    assert abs(found.value - 680.0) <= 4.0 * found.uncertainty
    assert any("resolves" in text for text in found.conditions)
