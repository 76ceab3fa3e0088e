"""Plain and residual networks of one depth."""

import math

import pytest
import torch
from torch import nn

from kazami.tour.depth_pairs import network, train_depth


@pytest.mark.parametrize("task", ["digits", "identity"])
@pytest.mark.parametrize("is_residual", [False, True])
@pytest.mark.parametrize("depth", [4, 16])
def test_a_network_is_as_deep_as_asked_for(task, is_residual, depth):
    net = network(depth, is_residual=is_residual, task=task)
    assert sum(isinstance(module, nn.Linear) for module in net.modules()) == depth
    assert net(torch.zeros(2, 64)).shape == (2, 10 if task == "digits" else 64)


def test_both_kinds_begin_with_the_same_weights():
    drawn = []
    for is_residual in (False, True):
        torch.manual_seed(0)
        drawn.append([parameter.detach() for parameter in network(6, is_residual=is_residual, task="digits").parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*drawn, strict=True))


def test_a_residual_network_with_silent_branches_does_nothing():
    net = network(6, is_residual=True, task="identity")
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    x = torch.randn(3, 64)
    assert torch.equal(net(x), x)


def test_the_score_of_the_identity_is_the_explained_variance():
    plain, residual = (train_depth(4, is_residual=kind, task="identity", steps=40) for kind in (False, True))
    assert plain.test < residual.test <= 1
    assert math.isnan(plain.branch)
    assert residual.branch > 0
    assert residual.loss == pytest.approx(1 - residual.train, abs=0.05)


def test_random_numbers_are_not_disturbed():
    state = torch.get_rng_state()
    train_depth(4, is_residual=True, task="digits", steps=1)
    assert torch.equal(torch.get_rng_state(), state)
