"""Watching keeps nothing of a training alive: no activation, no graph, no gradient, no model."""

import gc
import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.watch.observer import Observer
from kazami.watch.sampling import Sampling

X, Y = torch.randn(32, 6), torch.arange(32) % 3


@pytest.fixture
def observer():
    observer = Observer(sampling=Sampling(every=1))
    observer.attach()
    yield observer
    observer.detach()
    assert "kazami" not in observer.blind, observer.blind.get("kazami")


def network():
    return nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3))


def living_tensors():
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


class Kept(torch.autograd.Function):
    """Saves a tensor that can be followed."""

    followed = None

    @staticmethod
    def forward(ctx, x):
        saved = x.clone()
        Kept.followed = weakref.ref(saved)
        ctx.save_for_backward(saved)
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g


def test_activations_graph_and_gradients_go_as_they_would(observer):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        hidden = Kept.apply(model[0](X))
        out = model[2](torch.tanh(hidden))
        loss = F.cross_entropy(out, Y)
        things = [weakref.ref(thing) for thing in (hidden, out, loss)]
        loss.backward()
        del hidden, out, loss
        gc.collect()
        assert Kept.followed() is None
        assert [thing() for thing in things] == [None] * 3  # gone before the optimizer steps
        optimizer.step()
        gradients = [weakref.ref(p.grad) for p in model.parameters()]
        optimizer.zero_grad()
        assert [gradient() for gradient in gradients] == [None] * 4


def test_nothing_grows(observer):
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def steps(n):
        for _ in range(n):
            optimizer.zero_grad()
            F.cross_entropy(model(X), Y).backward()
            optimizer.step()

    steps(20)
    before = living_tensors()
    steps(180)
    assert living_tensors() <= before + 2


def test_backward_without_steps_does_not_grow(observer):
    model = network()

    def backwards(n):
        for _ in range(n):
            F.cross_entropy(model(X), Y).backward()

    backwards(10)
    before = living_tensors()
    backwards(100)
    assert living_tensors() <= before + 2


def test_models_and_optimizers_that_the_script_drops_can_go(observer):
    dropped = []
    for _ in range(3):
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(4):
            optimizer.zero_grad()
            F.cross_entropy(model(X), Y).backward()
            optimizer.step()
        dropped += [weakref.ref(model), weakref.ref(optimizer), weakref.ref(model[0].weight)]
    del model, optimizer
    torch.ones(1, requires_grad=True).sum().backward()  # the next backward lets go of the last step
    gc.collect()
    assert [thing() for thing in dropped] == [None] * 9
    assert all(trace.facts["trained_parameters"] == 93 for trace in observer.traces())


def test_after_detaching_nothing_is_held(observer):
    model = network()
    F.cross_entropy(model(X), Y).backward()
    weight = weakref.ref(model[0].weight)
    observer.detach()
    del model
    gc.collect()
    assert weight() is None
