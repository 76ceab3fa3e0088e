"""Weights that nobody has trained are told by their distribution from weights that somebody has."""

import pytest
import torch
from torch import nn

from kazami.watch.fresh import is_fresh

INITS = {
    "linear as it comes": lambda: nn.Linear(30, 20).weight,
    "convolution as it comes": lambda: nn.Conv2d(3, 16, 3).weight,
    "embedding as it comes": lambda: nn.Embedding(50, 16).weight,
    "xavier": lambda: nn.init.xavier_uniform_(torch.empty(40, 20)),
    "xavier normal": lambda: nn.init.xavier_normal_(torch.empty(40, 20)),
    "he": lambda: nn.init.kaiming_uniform_(torch.empty(40, 20)),
    "he normal": lambda: nn.init.kaiming_normal_(torch.empty(40, 20)),
    "0.02": lambda: nn.init.normal_(torch.empty(64, 64), std=0.02),
}


@pytest.mark.parametrize("name", INITS)
def test_initialisations_are_fresh(name):
    """At a level of 5 % for each of two tests; half of twenty would be far too few, twenty hits are not asked for."""
    torch.manual_seed(0)
    assert sum(is_fresh(INITS[name]()) for _ in range(20)) >= 16


def test_trained_weights_are_not():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    x = torch.randn(256, 16)
    y = (x[:, :1] * x[:, 1:5]).sign()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    assert is_fresh(model[0].weight)
    for _ in range(200):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        optimizer.step()
    assert not is_fresh(model[0].weight)
    assert not is_fresh(model[2].weight)


@pytest.mark.parametrize("weight", [torch.zeros(16, 16), torch.rand(64), torch.rand(4, 4), torch.full((16, 16), float("nan")), torch.ones(16, 16).long()])
def test_what_cannot_be_judged_is_not_fresh(weight):
    assert not is_fresh(weight)


def test_the_random_stream_is_left_alone():
    torch.manual_seed(3)
    weight = torch.randn(20, 20)
    before = torch.get_rng_state()
    is_fresh(weight)
    assert torch.equal(before, torch.get_rng_state())
