"""Every engine gives, at every point, what a plain loop over the user's own model gives; and nothing of the user's is touched."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import kazami.surfaces.stacking as stacking
from kazami.errors import UsageError
from kazami.surfaces import Plane, surface
from kazami.surfaces.evaluation import Evaluator
from kazami.surfaces.weights import called, flat_weights
from tests.surfaces.models import cases

NAMES = list(cases())
STACKED = {
    "mlp",
    "mlp_mse",
    "own_loss",
    "smoothed",
    "linear",
    "flattened",
    "batch_norm",
    "no_bias",
    "tied",
    "residual",
    "convolution",
    "residual_images",
    "strided",
}


def plain_losses(model, loss, batches, plane, a, b, prepare=lambda model: model.eval()):
    """Return the losses by the plainest loop there is: set the weights, call the model, read the loss."""
    twin = prepare(copy.deepcopy(model))
    values = np.empty((len(b), len(a)))
    for row, up in enumerate(b):
        for column, across in enumerate(a):
            nn.utils.vector_to_parameters(plane.centre + float(across) * plane.first + float(up) * plane.second, twin.parameters())
            with torch.no_grad():
                total = sum(len(target) * loss(called(twin, inputs), target).item() for inputs, target in batches)
            values[row, column] = total / sum(len(target) for _, target in batches)
    return values


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_every_point_equals_the_plain_loop(name, fast):
    model, loss, batch = cases()[name]
    plane = Plane.random(model, seed=3, biases="move")
    found = surface(model, loss, batch, plane, resolution=(4, 5), fast=fast)
    expected = plain_losses(model, loss, [batch], plane, found.a, found.b)
    np.testing.assert_allclose(found.values, expected, rtol=1e-11, atol=1e-12)
    assert found.engine == ("stacked" if fast and name in STACKED else "pointwise"), found.said


@pytest.mark.parametrize("name", NAMES)
def test_the_model_stays_as_it_was(name):
    model, loss, batch = cases()[name]
    model.train()
    next(model.parameters()).requires_grad_(False)
    loss(called(model, batch[0]), batch[1]).backward()
    before = copy.deepcopy(model.state_dict())
    gradients = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    identities = [(id(p), p.data_ptr(), p.requires_grad, p._version) for p in model.parameters()]
    state = torch.get_rng_state()
    for mode in ("running", "batch", "recalibrate"):
        surface(model, loss, batch, "random", resolution=3, batch_norm=mode)
    surface(model, loss, batch, "hessian", resolution=2, dropout="frozen")
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert [(id(p), p.data_ptr(), p.requires_grad, p._version) for p in model.parameters()] == identities
    assert all(p.grad is g if g is None else torch.equal(p.grad, g) for p, g in zip(model.parameters(), gradients, strict=True))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training for module in model.modules())


def test_batches_are_weighted_by_their_size():
    model, loss, (x, labels) = cases()["mlp"]
    plane = Plane.random(model)
    parts = [(x[:2], labels[:2]), (x[2:], labels[2:])]
    whole = surface(model, loss, (x, labels), plane, resolution=3)
    np.testing.assert_allclose(surface(model, loss, parts, plane, resolution=3).values, whole.values, rtol=1e-12)
    np.testing.assert_allclose(surface(model, loss, iter(parts), plane, resolution=3, fast=False).values, whole.values, rtol=1e-12)


def norm_in_batch_mode(model):
    """Return the model as ``batch_norm="batch"`` means it."""
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train()
    return model


@pytest.mark.parametrize("name", ["batch_norm", "convolution", "residual_images"])
def test_batch_statistics_are_those_of_the_batch(name):
    model, loss, batch = cases()[name]
    plane = Plane.random(model, biases="move")
    found = surface(model, loss, batch, plane, resolution=3, batch_norm="batch")
    np.testing.assert_allclose(found.values, plain_losses(model, loss, [batch], plane, found.a, found.b, norm_in_batch_mode), rtol=1e-11)
    assert not np.allclose(found.values, surface(model, loss, batch, plane, resolution=3).values)


def test_recalibrated_statistics_of_one_batch_are_its_own_up_to_the_unbiased_variance():
    model, loss, (x, labels) = cases()["batch_norm"]
    plane = Plane.random(model)
    found = surface(model, loss, (x, labels), plane, resolution=2, batch_norm="recalibrate")
    nn.utils.vector_to_parameters(plane.at(-1.0, -1.0), model.parameters())
    hidden = model[0](x)
    normal = (hidden - hidden.mean(0)) / (hidden.var(0, correction=1) + model[1].eps).sqrt() * model[1].weight + model[1].bias
    assert found.values[0, 0] == pytest.approx(F.cross_entropy(model[4](normal.relu()), labels).item(), rel=1e-12)


def test_frozen_dropout_uses_the_same_masks_at_every_point():
    model, loss, batch = cases()["batch_norm"]
    plane = Plane.random(model)
    one, two = (surface(model, loss, batch, plane, resolution=3, dropout="frozen").values for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.allclose(one, surface(model, loss, batch, plane, resolution=3).values)


def test_a_model_that_draws_random_numbers_is_said_and_repeatable():
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, x):
            return self.layer(x + torch.randn_like(x))

    model = Noisy().double()
    _, loss, batch = cases()["mlp"]
    one, two = (surface(model, loss, batch, resolution=3) for _ in range(2))
    np.testing.assert_array_equal(one.values, two.values)
    assert any("random numbers" in sentence.en for sentence in one.said)


def test_a_model_that_cannot_be_copied_is_put_back():
    class WithLock(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 3)
            self.norm = nn.BatchNorm1d(3)
            self.cache = self.layer.weight * 2  # a tensor with a graph: deepcopy refuses it

        def forward(self, x):
            return self.norm(self.layer(x))

    model = WithLock().double()
    _, loss, batch = cases()["mlp"]
    before = copy.deepcopy(model.state_dict())
    plane = Plane.random(model)
    found = surface(model, loss, batch, plane, resolution=3, batch_norm="recalibrate")
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert model.training
    assert model.norm.momentum == 0.1
    assert np.ptp(found.values) > 0.0


def test_a_derivative_inside_forward_works():
    class Slope(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(1, 1, bias=False)

        def forward(self, x):
            x = x.clone().requires_grad_(True)
            return torch.autograd.grad(torch.sin(self.layer(x)).sum(), x, create_graph=True)[0]

    model = Slope().double()
    model.layer.weight.data.fill_(0.5)
    x = torch.zeros(2, 1).double()
    flat = flat_weights(model)
    task = Evaluator(model, F.mse_loss, [(x, torch.zeros(2, 1).double())], flat, torch.ones_like(flat), torch.zeros_like(flat))
    values = np.concatenate([v for _, v in task.losses(np.array([[0.0, 0.0], [1.5, 0.0]]))])
    np.testing.assert_allclose(values, [0.25, 4.0])  # d sin(w x)/dx at 0 is w


def test_losses_that_are_not_finite_are_answers():
    model, _, batch = cases()["mlp"]
    found = surface(model, lambda o, t: torch.log(o.sum() - o.sum().detach() - 1), batch, resolution=3)
    assert np.isnan(found.values).all()
    assert "not finite" in found.finding.en
    assert found.to_dict()["values"][0][0] is None


def test_a_fast_engine_that_disagrees_is_not_used(monkeypatch):
    model, loss, batch = cases()["mlp"]
    monkeypatch.setattr(stacking._Program, "run", lambda self, coordinates: torch.zeros(len(coordinates)).double())
    found = surface(model, loss, batch, resolution=3)
    assert found.engine == "pointwise"
    assert any("disagreed" in sentence.en for sentence in found.said)
    assert found.values.min() > 0.0


def test_forward_hooks_are_part_of_the_model():
    model, loss, batch = cases()["mlp"]
    plane = Plane.random(model)
    model[0].register_forward_hook(lambda module, inputs, output: 2 * output)
    found = surface(model, loss, batch, plane, resolution=3)
    np.testing.assert_allclose(found.values, plain_losses(model, loss, [batch], plane, found.a, found.b), rtol=1e-12)


def test_single_precision_agrees_to_its_rounding():
    model, loss, (x, labels) = cases()["mlp"]
    plane = Plane.random(model)
    double = surface(model, loss, (x, labels), plane, resolution=5).values
    single = surface(model.float(), loss, (x.float(), labels), Plane.random(model), resolution=5)
    upcast = surface(model, loss, (x.float(), labels), Plane.random(model), resolution=5, dtype=torch.float64)
    np.testing.assert_allclose(single.values, double, rtol=2e-5)
    np.testing.assert_allclose(upcast.values, double, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batches": []}, "at least one batch"),
        ({"batches": [torch.zeros(3)]}, "pair"),
        ({"loss": lambda o, t: o}, "one number"),
        ({"resolution": 1}, "two points"),
        ({"extent": -1.0}, "extent"),
        ({"plane": "pcaa"}, 'Did you mean "pca"'),
        ({"plane": "pca"}, "trajectory="),
        ({"batch_norm": "none"}, "batch_norm"),
        ({"model": nn.ReLU()}, "no parameters"),
        ({"model": nn.LazyLinear(3)}, "lazy"),
        ({"plane": Plane.random(nn.Linear(3, 2))}, "8 weights"),
    ],
)
def test_what_cannot_work_is_said(change, words):
    model, loss, batch = cases()["mlp"]
    asked = {"model": model, "loss": loss, "batches": batch, **change}
    with pytest.raises(UsageError, match=words):
        surface(**asked)
