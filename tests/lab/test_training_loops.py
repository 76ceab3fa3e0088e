"""Loops of the experiments."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from kazami.lab.recurrent import ReusedWeights
from kazami.lab.training_loops import adam, classifier_training, descent, losses_until_overflow, scores
from kazami.patients.data import iris


def classifier(seed=0):
    """Return a small classifier of Iris."""
    torch.manual_seed(seed)
    return nn.Linear(4, 3)


def test_the_same_seed_gives_the_same_losses():
    runs = [losses_until_overflow(classifier_training(classifier(), iris(), adam(1e-2), steps=20, seed=3)) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) == 20


def test_a_run_ends_with_the_first_loss_that_is_not_finite():
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    losses = losses_until_overflow(classifier_training(model, iris(), descent(1e30), steps=50, seed=0))
    assert len(losses) < 50
    assert not math.isfinite(losses[-1])
    assert all(math.isfinite(loss) for loss in losses[:-1])


def test_scores_against_numpy():
    model, data = classifier(), iris()
    found = scores(model, data)
    logits = data.x.double().numpy() @ model.weight.detach().double().numpy().T + model.bias.detach().double().numpy()
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert found.train_loss == pytest.approx(-logs[np.arange(len(logs)), data.y.numpy()].mean(), rel=1e-5)
    assert found.train_accuracy == pytest.approx((logits.argmax(1) == data.y.numpy()).mean())


def test_scores_of_a_network_that_overflowed():
    model = classifier()
    nn.init.constant_(model.weight, math.nan)
    assert scores(model, iris()).train_loss == math.inf
    assert scores(model, iris()).train_accuracy == 0.0


def test_the_recurrence_reuses_its_matrix():
    model = ReusedWeights(2, 4, 3, gain=1.5, seed=0)
    x = torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(0))
    again, read, state = model.again.weight.detach(), model.read.weight.detach(), torch.zeros(5, 4)
    for time in range(3):
        state = (state @ again.T + x[:, time] @ read.T).clamp_min(0)
    assert torch.allclose(model(x), model.output(state), atol=1e-6)
    assert torch.linalg.svdvals(again).tolist() == pytest.approx([1.5] * 4, rel=1e-5)
