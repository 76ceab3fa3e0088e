"""The curvature of whole trainings against dense Hessians from differences of gradients, and what must not be disturbed."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kazami.curvature import TrainingCurvature, dense
from kazami.errors import UsageError

from .models import CASES, Attention, classes, convolution, dense_hessian, mlp, numbers, training


@pytest.mark.parametrize("name", CASES)
def test_the_hessian_is_the_dense_one(name):
    make, loss, batches = CASES[name]
    given = training(make, loss, batches)
    expected = dense_hessian(given.start().model, loss, batches)
    curvature = TrainingCurvature.of(given)
    torch.testing.assert_close(dense(curvature.products()), expected, rtol=1e-6, atol=1e-8)
    values = torch.linalg.eigvalsh(expected).flip(0)
    found = curvature.eigenvalues(3)
    torch.testing.assert_close(found.values, values[:3], rtol=1e-5, atol=1e-7)
    lowest = curvature.eigenvalues(2, which="smallest")
    torch.testing.assert_close(lowest.values, values.flip(0)[:2], rtol=1e-4, atol=1e-5 * float(values.abs().max()))


def test_logistic_regression_has_its_closed_form():
    inputs, target = numbers(30, 4).double(), classes(2, 30).double()
    model = nn.Linear(4, 1, bias=False).double()
    curvature = TrainingCurvature(model, lambda output, wanted: F.binary_cross_entropy_with_logits(output[:, 0], wanted), (inputs, target))
    chance = torch.sigmoid(inputs @ model.weight.detach()[0])
    torch.testing.assert_close(dense(curvature.products()), inputs.T @ (inputs * (chance * (1 - chance))[:, None]) / 30, rtol=1e-12, atol=1e-15)


def test_batches_weigh_by_their_sizes_whether_graphs_are_kept_or_not(monkeypatch):
    make, loss, batches = CASES["mlp"]
    together = [(torch.cat([batches[0][0], batches[1][0]]), torch.cat([batches[0][1], batches[1][1]]))]
    whole = dense(TrainingCurvature.of(training(make, loss, together)).products())
    kept = TrainingCurvature.of(training(make, loss, batches))
    assert kept.is_kept
    torch.testing.assert_close(dense(kept.products()), whole, rtol=1e-10, atol=1e-14)
    monkeypatch.setattr("kazami.curvature.training_curvature.available_bytes", lambda device: 1000)
    rebuilt = TrainingCurvature.of(training(make, loss, batches))
    assert not rebuilt.is_kept
    assert any("builds them again" in text for text in rebuilt.conditions)
    torch.testing.assert_close(dense(rebuilt.products()), whole, rtol=1e-10, atol=1e-14)


class Dropped(nn.Module):
    """Dropout and BatchNorm, which is the hard case."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Tanh(), nn.Linear(6, 3))

    def forward(self, inputs):
        return self.layers(inputs)


def test_dropout_is_frozen_also_where_graphs_are_built_again(monkeypatch):
    batches = CASES["mlp"][2]
    kept = TrainingCurvature.of(training(Dropped, F.cross_entropy, batches))
    monkeypatch.setattr("kazami.curvature.training_curvature.available_bytes", lambda device: 1000)
    rebuilt = TrainingCurvature.of(training(Dropped, F.cross_entropy, batches))
    first = dense(rebuilt.products())
    torch.testing.assert_close(first, dense(rebuilt.products()), rtol=0, atol=0)
    torch.testing.assert_close(first, dense(kept.products()), rtol=1e-12, atol=1e-14)
    assert any("Dropout masks" in text for text in kept.conditions)
    assert any("statistics of its batch" in text for text in kept.conditions)


def test_evaluation_mode_is_another_matrix_and_says_so():
    batch = CASES["convolution"][2]
    curvature = TrainingCurvature.of(training(convolution, F.cross_entropy, batch), mode="eval")
    expected = dense_hessian(training(convolution, F.cross_entropy, batch).start().model.eval(), F.cross_entropy, batch)
    torch.testing.assert_close(dense(curvature.products()), expected, rtol=1e-6, atol=1e-8)
    assert any("evaluation mode" in text for text in curvature.conditions)


def test_a_model_given_directly_is_left_as_it_is():
    torch.manual_seed(0)
    model = Dropped()
    model(numbers(5, 4)).sum().backward()
    before = copy.deepcopy(model.state_dict()), [part.grad.clone() for part in model.parameters()], torch.get_rng_state()
    curvature = TrainingCurvature(model, F.cross_entropy, (numbers(9, 4), classes(3, 9)))
    curvature.eigenvalues(2)
    curvature.trace()
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before[0].items())
    assert all(torch.equal(part.grad, kept) for part, kept in zip(model.parameters(), before[1], strict=True))
    assert torch.equal(torch.get_rng_state(), before[2])
    assert next(model.parameters()).dtype == torch.float32
    assert model.training


class TwoInputs(nn.Module):
    """Two inputs, one by keyword."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, first, *, second):
        return self.layer(first + second)


def test_several_inputs_and_names():
    curvature = TrainingCurvature(TwoInputs(), F.cross_entropy, [({"first": numbers(6, 4), "second": numbers(6, 4, seed=2)}, classes(3, 6))])
    assert curvature.names == ("layer.weight", "layer.bias")
    assert curvature.n_examples == 6
    shaped = curvature.unflatten(curvature.eigenvalues().vectors[0])
    assert {name: tuple(part.shape) for name, part in shaped.items()} == {"layer.weight": (3, 4), "layer.bias": (3,)}


def test_only_what_the_optimizer_moves_counts():
    make, loss, batches = CASES["mlp"]
    head = TrainingCurvature.of(training(make, loss, batches, optimizer=lambda model: torch.optim.SGD(model[2].parameters(), 0.1)))
    whole = TrainingCurvature.of(training(make, loss, batches))
    assert head.names == ("2.weight", "2.bias")
    torch.testing.assert_close(dense(head.products()), dense(whole.products())[-21:, -21:])


def test_after_some_steps_it_is_that_of_the_trained_weights():
    make, loss, batches = CASES["mlp"]
    given = training(make, loss, batches)
    expected = dense_hessian(given.run(steps=7).model, loss, batches)
    torch.testing.assert_close(dense(TrainingCurvature.of(given, after=7).products()), expected, rtol=1e-5, atol=1e-7)


class Cube(torch.autograd.Function):
    """x³ with a backward that can be differentiated."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * 3 * x**2


class Numpy(Cube):
    """The same through numpy, so that the graph of the gradient is cut without a word."""

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * torch.from_numpy(3 * np.square(x.detach().numpy()))


class Once(Cube):
    """The same, marked."""

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * 3 * x**2


class With(nn.Module):
    """A linear layer and a function written in Python."""

    def __init__(self, function):
        super().__init__()
        self.layer, self.function = nn.Linear(3, 2), function

    def forward(self, inputs):
        return self.function.apply(self.layer(inputs))


def test_a_function_in_python_counts_where_its_second_derivative_is_true():
    batch = (numbers(5, 3), numbers(5, 2, seed=2))
    given = training(lambda: With(Cube), F.mse_loss, [batch])
    torch.testing.assert_close(dense(TrainingCurvature.of(given).products()), dense_hessian(given.start().model, F.mse_loss, [batch]), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("function", [Numpy, Once])
def test_an_operation_without_second_derivative_is_named(function):
    with pytest.raises(UsageError, match=function.__name__):
        TrainingCurvature.of(training(lambda: With(function), F.mse_loss, [(numbers(5, 3), numbers(5, 2, seed=2))])).eigenvalues()


def test_where_torch_is_wrong_differences_are_taken():
    """torch's weight_norm takes the norm for a constant in its second derivative (2.13: off by more than a third here)."""
    batch = (numbers(10, 4), classes(3, 10))

    class Normalised(nn.Module):
        def __init__(self):
            super().__init__()
            self.size, self.way, self.reader = nn.Parameter(torch.ones(6, 1)), nn.Parameter(torch.randn(6, 4)), nn.Linear(6, 3)

        def forward(self, inputs):
            return self.reader(torch.tanh(inputs @ torch._weight_norm(self.way, self.size, 0).T))

    class Plain(Normalised):
        def forward(self, inputs):
            return self.reader(torch.tanh(inputs @ (self.size * self.way / self.way.norm(dim=1, keepdim=True)).T))

    plain = TrainingCurvature.of(training(Plain, F.cross_entropy, [batch]))
    assert plain.is_exact
    fused = TrainingCurvature.of(training(Normalised, F.cross_entropy, [batch]))
    torch.testing.assert_close(dense(fused.products()), dense(plain.products()), rtol=1e-6, atol=1e-8)
    assert fused.is_exact or any("central differences" in text for text in fused.conditions)
    found = fused.eigenvalues(2)
    assert (found.values - torch.linalg.eigvalsh(dense(plain.products())).flip(0)[:2]).abs().max() < 1e-4


class SinglePrecision(nn.Module):
    """Makes a float32 tensor of its own, so that it cannot be run in float64."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, inputs):
        return self.layer(inputs) @ torch.ones(3, 3, dtype=torch.float32)


def test_a_model_that_cannot_be_run_in_float64_is_taken_as_it_is():
    batch = (numbers(9, 4), classes(3, 9))
    curvature = TrainingCurvature.of(training(SinglePrecision, F.cross_entropy, [batch]))
    assert curvature.parameters[0].dtype == torch.float32
    assert any("cannot be run in float64" in text for text in curvature.conditions)
    assert curvature.eigenvalues().converged


def test_sparse_embeddings_are_taken_as_dense_ones():
    make, loss, batches = CASES["lstm"]

    def sparse():
        model = make()
        model.words.sparse = True
        return model

    plain, thin = (TrainingCurvature.of(training(kind, loss, batches)) for kind in (make, sparse))
    torch.testing.assert_close(dense(thin.products()), dense(plain.products()))


@pytest.mark.parametrize(
    ("model", "batches", "said"),
    [
        (nn.Linear(4, 3).requires_grad_(False), [(numbers(5, 4), classes(3, 5))], "frozen"),
        (nn.Linear(4, 3), [], "at least one batch"),
        (nn.Linear(4, 3), [numbers(5, 4)], "pair"),
        (lambda x: x, [(numbers(5, 4), classes(3, 5))], "nn.Module"),
    ],
)
def test_what_cannot_be_is_refused(model, batches, said):
    with pytest.raises(UsageError, match=said):
        TrainingCurvature(model, F.cross_entropy, batches)


def test_a_loss_without_graph_is_refused():
    with pytest.raises(UsageError, match="0-d tensor"):
        TrainingCurvature(nn.Linear(4, 3), lambda output, target: output, (numbers(5, 4), classes(3, 5)))


def test_tied_weights_count_once():
    make, loss, batches = CASES["attention"]
    curvature = TrainingCurvature.of(training(make, loss, batches))
    assert curvature.n_entries == sum(part.numel() for part in Attention().parameters())
    assert mlp()[0].weight.numel() < curvature.n_entries


def test_a_factory_that_gives_the_same_module_each_time_finds_it_as_it_was():
    torch.manual_seed(0)
    model, loss = Dropped(), nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    batches = [(numbers(9, 4), classes(3, 9))]
    found = TrainingCurvature.of(training(lambda: model, loss, batches), mode="eval").eigenvalues()
    assert found.converged
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training
    assert next(model.parameters()).dtype == loss.weight.dtype == torch.float32


def test_a_loss_of_very_many_kinks_is_believed_and_has_the_curvature_of_its_pieces():
    """As in a large ReLU network, a difference of gradients over 1e-7 crosses kinks and sees them, where the pieces have the curvature 2."""

    class Kinks(nn.Module):
        def __init__(self):
            super().__init__()
            self.place = nn.Parameter(torch.ones(1))

        def forward(self, kinks):
            return torch.relu(self.place - kinks).mean() + self.place**2

    kinks = 1.0 + 0.04 * (torch.rand(2_000_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5)
    curvature = TrainingCurvature(Kinks(), lambda output, target: output.sum(), (kinks, torch.zeros(1)))
    assert curvature.is_exact
    assert float(curvature.eigenvalues().values) == pytest.approx(2.0, rel=1e-9)
