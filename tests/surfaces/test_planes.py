"""Planes: filters as long as the model's, principal axes as scikit-learn finds them, eigenvectors as NumPy finds them."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA
from torch import nn

import kazami
from kazami.errors import UsageError
from kazami.surfaces import Plane, recorded, surface
from kazami.surfaces.weights import called, flat_weights, unflatten
from tests.surfaces.models import cases


def test_every_filter_is_as_long_as_the_models_own():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ConvTranspose2d(3, 4, 2), nn.Flatten(), nn.Linear(8, 5))
    plane = Plane.random(model, seed=1)
    names = dict(model.named_parameters())
    for flat in (plane.first, plane.second):
        parts = dict(zip(names, unflatten(flat, model), strict=True))
        for index in range(3):
            torch.testing.assert_close(parts["0.weight"][index].norm(), names["0.weight"][index].norm())
        for index in range(4):  # the filters of a transposed convolution lie along its second dimension
            torch.testing.assert_close(parts["2.weight"][:, index].norm(), names["2.weight"][:, index].norm())
        for index in range(5):
            torch.testing.assert_close(parts["4.weight"][index].norm(), names["4.weight"][index].norm())
        assert not any(parts[name].any() for name in ("0.bias", "1.weight", "1.bias", "2.bias", "4.bias"))


def test_biases_can_move_layers_can_be_whole_and_frozen_ones_rest():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    parts = unflatten(Plane.random(model, biases="move", normalise="layer").first, model)
    assert not parts[0].any()
    assert not parts[1].any()
    torch.testing.assert_close(parts[2].norm(), model[1].weight.norm())
    torch.testing.assert_close(parts[3].norm(), model[1].bias.norm())
    assert not torch.allclose(parts[2].norm(dim=1), model[1].weight.norm(dim=1))


def test_random_directions_repeat_and_leave_the_generator_alone():
    model = nn.Linear(3, 4)
    state = torch.get_rng_state()
    assert torch.equal(Plane.random(model, seed=5).first, Plane.random(model, seed=5).first)
    assert not torch.equal(Plane.random(model, seed=5).first, Plane.random(model, seed=6).first)
    assert torch.equal(torch.get_rng_state(), state)


def test_principal_axes_are_those_of_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    path = torch.cumsum(torch.randn(40, 30, generator=generator, dtype=torch.float64), 0)
    plane = Plane.from_trajectory(path)
    truth = PCA(2).fit(path.numpy())
    np.testing.assert_allclose(plane.explained, truth.explained_variance_ratio_, rtol=1e-10)
    for axis, component in zip((plane.first, plane.second), truth.components_, strict=True):
        assert abs(float(axis @ torch.as_tensor(component))) == pytest.approx(1.0, abs=1e-10)
    assert torch.equal(plane.centre, path[-1])
    projected = plane.project(path)
    np.testing.assert_allclose(projected[-1], 0.0, atol=1e-12)
    expected = ((path - path[-1]) @ torch.stack([plane.first, plane.second]).T).numpy()
    np.testing.assert_allclose(projected, expected, atol=1e-10)
    share = float((expected**2).sum() / ((path - path[-1]) ** 2).sum())
    assert plane.path_share(path) == pytest.approx(share, rel=1e-10)
    box = plane.extent
    assert box[0] < projected[:, 0].min() < projected[:, 0].max() < box[1]
    assert box[2] < projected[:, 1].min() < projected[:, 1].max() < box[3]


def test_a_path_in_a_plane_is_held_whole():
    turns = torch.linspace(0, 5, 30, dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(50, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q
    path = torch.stack([3 * turns.cos(), turns.sin()], 1) @ basis.T + 7.0
    for through in ("end", "mean"):
        plane = Plane.from_trajectory(path, through=through)
        assert sum(plane.explained) == pytest.approx(1.0)
        assert plane.path_share(path) == pytest.approx(1.0)


def test_a_random_walk_has_the_shares_that_the_text_names():
    walk = torch.cumsum(torch.randn(300, 20_000, generator=torch.Generator().manual_seed(0)), 0)
    first, second = Plane.from_trajectory(walk).explained
    assert first == pytest.approx(6 / math.pi**2, abs=0.03)
    assert second == pytest.approx(6 / math.pi**2 / 4, abs=0.03)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (torch.zeros(2, 5), "three recorded steps"),
        (torch.zeros(5, 4), "straight line"),
        (torch.arange(5.0)[:, None] * torch.ones(4), "straight line"),
        (torch.full((5, 4), math.nan), "not finite"),
    ],
)
def test_paths_without_a_plane_are_refused(path, words):
    with pytest.raises(UsageError, match=words):
        Plane.from_trajectory(path)


def full_hessian(model, loss, batch):
    """Return the Hessian by torch.func, apart from everything under test."""
    names, shapes = zip(*[(name, p.shape) for name, p in model.named_parameters()], strict=True)

    def value(flat):
        parts, start = {}, 0
        for name, shape in zip(names, shapes, strict=True):
            parts[name] = flat[start : start + shape.numel()].view(shape)
            start += shape.numel()
        inputs = batch[0] if isinstance(batch[0], tuple) else (batch[0],)
        return loss(torch.func.functional_call(model, parts, inputs), batch[1])

    return torch.autograd.functional.hessian(value, flat_weights(model)).numpy()


@pytest.mark.parametrize("name", ["mlp_mse", "linear", "tied", "two_inputs"])
def test_eigenvectors_are_those_of_the_whole_hessian(name):
    model, loss, batch = cases()[name]
    values, vectors = np.linalg.eigh(full_hessian(model, loss, batch))
    plane = Plane.towards_eigenvectors(model, loss, batch)
    np.testing.assert_allclose(plane.eigenvalues, values[::-1][:2], rtol=1e-6)
    for axis, truth in zip((plane.first, plane.second), vectors.T[::-1], strict=False):
        assert abs(float(axis.numpy() @ truth)) == pytest.approx(1.0, abs=1e-5)


def test_many_weights_are_solved_by_iteration_and_a_custom_function_by_differences():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            return grad * 3 * ctx.saved_tensors[0] ** 2

    weights = nn.Module()
    weights.w = nn.Parameter(torch.linspace(0.1, 2.0, 150, dtype=torch.float64))
    weights.forward = lambda x: Cube.apply(weights.w).sum() * x
    plane = Plane.towards_eigenvectors(weights, lambda o, t: o, (torch.tensor(1.0), None))  # Hessian diag(6 w)
    np.testing.assert_allclose(plane.eigenvalues, [12.0, 6 * float(weights.w.detach()[-2])], rtol=1e-5)
    assert abs(float(plane.first[-1])) == pytest.approx(1.0, abs=1e-4)
    assert "differences" in plane.said[0].en


def test_attention_has_a_curvature_too():
    model, loss, batch = cases()["attention"]
    assert Plane.towards_eigenvectors(model, loss, batch).eigenvalues[0] > 0.0


def test_three_models_lie_on_their_plane_and_nothing_else_is_scaled():
    models = [cases()["mlp"][0] for _ in range(3)]
    for index, model in enumerate(models):
        for parameter in model.parameters():
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(index), dtype=torch.float64)
    plane = Plane.through(*models)
    assert float(plane.first @ plane.second) == pytest.approx(0.0, abs=1e-12)
    for model, (a, b) in zip(models, plane.points, strict=True):
        torch.testing.assert_close(plane.at(a, b), flat_weights(model))
    distance = float((flat_weights(models[1]) - flat_weights(models[0])).norm())
    assert plane.points[1] == pytest.approx([distance, 0.0], abs=1e-10)
    _, loss, batch = cases()["mlp"]
    found = surface(models[0], loss, batch, plane, resolution=2, extent=(0.0, distance, 0.0, 1.0))
    for model, value in ((models[0], found.values[0, 0]), (models[1], found.values[0, 1])):
        assert value == pytest.approx(loss(called(model, batch[0]), batch[1]).item(), rel=1e-10)


def test_directions_that_span_no_plane_are_refused():
    model = nn.Linear(3, 2)
    one = flat_weights(model)
    for second in (2 * one, torch.zeros_like(one), torch.full_like(one, math.nan), one[:3]):
        with pytest.raises(UsageError, match=r"direction|shape"):
            Plane(kind="given", centre=one, first=one, second=second)
    with pytest.raises(UsageError, match="one line"):
        Plane.through(model, model, model)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    with pytest.raises(UsageError, match="zero"):
        Plane.random(model)


def test_a_training_is_recorded_step_by_step():
    training = kazami.Training(
        model=lambda: nn.Linear(2, 1),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), 0.1),
        loss=F.mse_loss,
        batches=lambda: [(torch.eye(2), torch.ones(2, 1))],
        steps=7,
    )
    model, path, steps = recorded(training)
    assert steps == list(range(8))
    torch.testing.assert_close(path[0], flat_weights(training.start().model))
    torch.testing.assert_close(path[-1], flat_weights(model))
    torch.testing.assert_close(path[3], flat_weights(training.run(steps=3).model))
    _, thin, steps = recorded(training, most_numbers=9)
    assert steps == [0, 3, 6, 7]
    torch.testing.assert_close(thin[1], path[3])
    found = surface(training, plane="pca", resolution=5)
    assert found.path.shape == (8, 2)
    assert found.path_losses[0] > found.path_losses[-1]
    assert found.path_losses[-1] == pytest.approx(F.mse_loss(model(torch.eye(2)), torch.ones(2, 1)).item(), rel=1e-6)
    assert "falls from" in found.finding.en
