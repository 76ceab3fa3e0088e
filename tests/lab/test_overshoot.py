"""The first step of an explosion."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from kazami.lab.networks import stormy_classifier
from kazami.lab.overshoot import FRACTIONS, first_step
from kazami.lab.training_loops import classifier_training, descent, losses_until_overflow
from kazami.patients.data import digits


def linear_classifier(scale):
    """Return a linear classifier of two inputs, and a batch on which it is wrong."""
    model = nn.Linear(2, 2, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(scale * torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    return model, torch.eye(2, dtype=torch.float64), torch.tensor([0, 1])


def cross_entropy(weight):
    """Mean cross-entropy of the two samples, in NumPy."""
    logits = weight.T
    return float(np.mean(np.log(np.exp(logits).sum(1)) - np.diag(logits)))


def test_a_linear_classifier_against_numpy():
    model, x, y = linear_classifier(3.0)
    weight = model.weight.detach().numpy().copy()
    soft = np.exp(weight.T) / np.exp(weight.T).sum(1, keepdims=True)
    gradient = ((soft - np.eye(2)) / 2).T
    found = first_step(model, x, y, 10.0)
    assert found.overwritten == pytest.approx(10 * np.linalg.norm(gradient) / np.linalg.norm(weight), rel=1e-12)
    assert found.along == pytest.approx([cross_entropy(weight - fraction * 10 * gradient) for fraction in FRACTIONS], rel=1e-12)
    assert found.overshoot == pytest.approx(1.0)  # separable: the further the better
    assert found.loop_gain < 1
    assert np.array_equal(model.weight.detach().numpy(), weight)


def test_a_step_that_is_too_long_is_told_by_how_much():
    model = nn.Linear(1, 2, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.3], [-0.3]]))
    x, y = torch.ones(2, 1, dtype=torch.float64), torch.tensor([0, 1])  # best: equal logits
    soft = 1 / (1 + math.exp(-0.6))
    best = 0.3 / (soft - 0.5)  # learning rate that lands on equal logits
    assert first_step(model, x, y, 10 * best).overshoot == pytest.approx(10.0, rel=0.2)  # a grid of eight per decade
    assert first_step(model, x, y, 10 * best).loop_gain > 1
    assert first_step(model, x, y, best).overshoot == pytest.approx(1.0)


@pytest.mark.parametrize("excess", [2.0, 3.0, 4.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_step_of_overflow_is_predicted_from_the_first_gradient(excess, seed):
    model = stormy_classifier(10, width=64, n_in=64, n_classes=10, excess=excess, seed=seed)
    training = classifier_training(model, digits(), descent(0.1), steps=12, seed=seed)
    x, y = next(training.endless_batches())
    predicted = first_step(model, x, y, 0.1).overflow_step
    losses = losses_until_overflow(training)
    assert not math.isfinite(losses[-1])
    assert abs(len(losses) - 1 - predicted) <= 1


def test_a_calm_network_does_not_overflow():
    model = stormy_classifier(3, width=16, n_in=64, n_classes=10, excess=1.0, seed=0)
    data = digits()
    assert first_step(model, data.x[:128], data.y[:128], 0.01).overflow_step == math.inf
