"""How much outputs differ between samples, and losses that only ask for agreement."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.watch.collapse import answers, variation
from kazami.watch.losses import LossCall
from tests.watch.seeing import readings_of

GENERATOR = torch.Generator().manual_seed(1)
X, VIEW = torch.randn(24, 6, generator=GENERATOR), torch.randn(24, 6, generator=GENERATOR)
Y = torch.randint(0, 3, (24,), generator=GENERATOR)


def call(kind, output, target, **options):
    return LossCall(kind, output, target, None, options)


def test_values_against_their_targets():
    target = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    assert variation(call("mse", 0.5 * target, target)) == pytest.approx(0.5)
    assert variation(call("mse", torch.ones(4, 1), target)) == 0.0
    assert math.isnan(variation(call("mse", target, torch.ones(4, 1))))
    assert math.isnan(variation(call("mse", torch.ones(4, 1), torch.ones(5))))


def test_the_same_picture_for_all_does_not_vary():
    """The places of a picture differ, its samples do not."""
    picture = torch.arange(12.0).reshape(1, 3, 4).expand(5, 3, 4)
    assert variation(call("mse", picture, torch.randn(5, 3, 4, generator=GENERATOR))) == pytest.approx(0.0, abs=1e-6)


def test_certain_and_constant_answers_about_classes():
    certain = torch.full((24, 3), -30.0)
    certain[torch.arange(24), Y] = 0.0
    assert variation(call("cross_entropy", certain, Y)) == pytest.approx(1.0, rel=1e-5)
    assert variation(call("cross_entropy", torch.full((24, 3), -math.log(3)), Y)) == pytest.approx(0.0, abs=1e-6)
    ignored = Y.clone()
    ignored[:8] = -100
    assert variation(call("nll", certain, ignored, ignore_index=-100)) == pytest.approx(1.0, rel=1e-5)


def test_tokens_are_samples():
    target = torch.tensor([[0, 1, 2], [2, 1, 0]])
    certain = F.one_hot(target, 3).float().mul(60).sub(60).movedim(-1, 1)
    assert variation(call("cross_entropy", certain, target)) == pytest.approx(1.0, rel=1e-5)


def test_two_outcomes():
    target = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    assert variation(call("bce_with_logits", 100 * target - 50, target)) == pytest.approx(1.0)
    assert variation(call("bce", torch.full((4, 1), 0.5), target)) == 0.0


def network(outputs=4):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, outputs))


def cosine(a, b):
    return -(F.normalize(a, dim=1) * F.normalize(b, dim=1)).sum(1).mean()


AGREEING = {
    "squared distance": lambda net: F.mse_loss(net(X), net(VIEW)),
    "by hand": lambda net: (net(X) - net(VIEW)).square().mean(),
    "cosine": lambda net: cosine(net(X), net(VIEW)),
    "contrast": lambda net: F.cross_entropy(F.normalize(net(X), dim=1) @ F.normalize(net(VIEW), dim=1).T, torch.arange(24)),
}


@pytest.mark.parametrize("name", [name for name in AGREEING if name != "contrast"])
def test_two_outputs_of_one_network_that_shall_agree(name):
    net = network()
    spread = readings_of(AGREEING[name](net)).numbers["embedding_spread"]
    z = F.normalize(net(VIEW).detach(), dim=1)
    assert spread == pytest.approx(float(z.var(0, unbiased=False).mean().sqrt() * 2), rel=1e-4)


def with_derivative():
    net, x = network(), X.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    return (slope[:, :4] * net(VIEW)).square().mean()


OTHERS = {
    "a target from outside": lambda: F.mse_loss(network()(X), torch.zeros(24, 4)),
    "a target beside": lambda: (lambda net: F.mse_loss(net(X), net(VIEW)) + F.mse_loss(net(X), torch.zeros(24, 4)))(network()),
    "classes in contrast": lambda: AGREEING["contrast"](network()),
    "scores of one number": lambda: (lambda net: -F.logsigmoid(net(X) - net(VIEW)).mean())(network(1)),
    "a critic": lambda: (lambda net: net(X).mean() - net(VIEW).mean())(network(4)),
    "a derivative inside": with_derivative,
}


@pytest.mark.parametrize("name", OTHERS)
def test_losses_with_something_else_to_satisfy(name):
    assert "embedding_spread" not in readings_of(OTHERS[name]()).numbers


def test_the_spread_of_the_last_layer():
    net = network()
    assert readings_of(F.mse_loss(net(X), torch.zeros(24, 4))).numbers["head_spread"] == pytest.approx(
        float(net(X).detach().var(0, unbiased=False).mean().sqrt()), rel=1e-4
    )


def test_classes_that_are_put_first():
    logits = torch.tensor([[2.0, 0.0, 1.0], [3.0, 1.0, 0.0], [0.0, 1.0, 4.0]])
    assert answers(call("cross_entropy", logits, torch.tensor([0, 1, 2]))) == 2
    assert answers(call("cross_entropy", logits[:2], torch.tensor([0, 1]))) == 1
    assert math.isnan(answers(call("cross_entropy", logits, torch.tensor([1, 1, 1]))))
    assert math.isnan(answers(call("mse", logits, logits)))
