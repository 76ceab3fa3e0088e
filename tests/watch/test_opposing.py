"""Weights that climb inside one training: seen by the optimizer's word, by a sign turned after backward, and by an operation that turns it."""

import pytest
import torch
from torch import nn

from kazami.watch.observer import Observer
from kazami.watch.sampling import Sampling


class Turned(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient):
        return -0.5 * gradient


class Scaled(Turned):
    @staticmethod
    def backward(context, gradient):
        return 3.0 * gradient


def watched(value, *, maximize=False, between=lambda x, y: None, steps=5, optimizers=None):
    torch.manual_seed(0)
    x, y = nn.Parameter(torch.randn(5)), nn.Parameter(torch.randn(5))
    chosen = optimizers(x, y) if optimizers else [torch.optim.SGD([{"params": [x]}, {"params": [y], "maximize": maximize}], lr=0.1)]
    observer = Observer(sampling=Sampling(every=1))
    observer.attach()
    try:
        for _ in range(steps):
            for optimizer in chosen:
                optimizer.zero_grad()
            value(x, y).backward()
            between(x, y)
            for optimizer in chosen:
                optimizer.step()
    finally:
        observer.detach()
    assert "kazami" not in observer.blind
    return x, y, observer.traces()


def product(x, y):
    return (x * y).sum()


@pytest.mark.parametrize(
    ("settings", "by"),
    [
        ({"value": product, "maximize": True}, "maximize"),
        ({"value": product, "between": lambda x, y: y.grad.neg_()}, "sign"),
        ({"value": lambda x, y: product(x, Turned.apply(y))}, "operation"),
    ],
)
def test_each_way_to_turn_a_sign_is_seen(settings, by):
    *_, traces = watched(**settings)
    assert [trace.facts["turned"]["by"] for trace in traces] == [by]
    assert "adversarial" not in traces[0].facts


@pytest.mark.parametrize(
    "settings",
    [
        {"value": product},
        {"value": lambda x, y: product(x, Scaled.apply(y))},
        {"value": product, "between": lambda x, y: torch.nn.utils.clip_grad_norm_([x, y], 0.01)},
        {"value": product, "between": lambda x, y: (x.grad.neg_(), y.grad.neg_())},
    ],
    ids=["plain", "an operation that scales", "clipped", "both climb"],
)
def test_one_loss_has_no_sides(settings):
    *_, traces = watched(**settings)
    assert all("turned" not in trace.facts and "adversarial" not in trace.facts for trace in traces)


def test_two_optimizers_of_which_one_climbs_are_players():
    *_, traces = watched(product, between=lambda x, y: y.grad.neg_(), optimizers=lambda x, y: [torch.optim.SGD([x], lr=0.1), torch.optim.SGD([y], lr=0.1)])
    assert len(traces) == 2
    assert all(trace.facts["adversarial"] == {"players": 2} for trace in traces)


def test_watching_changes_nothing():
    torch.manual_seed(0)
    a, b = nn.Parameter(torch.randn(5)), nn.Parameter(torch.randn(5))
    optimizer = torch.optim.SGD([a, b], lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        product(a, Turned.apply(b)).backward()
        optimizer.step()
    x, y, _ = watched(lambda x, y: product(x, Turned.apply(y)))
    assert torch.equal(a, x)
    assert torch.equal(b, y)
