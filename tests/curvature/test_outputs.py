"""Gauss-Newton and Fisher products against closed forms and against gradients of single examples."""

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kazami.curvature import CurvatureBlind, OutputProducts, TrainingCurvature, dense

from .models import CASES, classes, dense_hessian, mlp, numbers, training


def matrix_of(make, loss, batches, matrix, **options):
    return dense(TrainingCurvature.of(training(make, loss, batches)).products(matrix, **options))


def single_gradients(model, loss, inputs, targets):
    """Return the gradient of every example's loss, shape (examples, parameters)."""
    rows = []
    for place in range(len(inputs)):
        found = torch.autograd.grad(loss(model(inputs[place : place + 1]), targets[place : place + 1]), list(model.parameters()))
        rows.append(torch.cat([part.reshape(-1) for part in found]))
    return torch.stack(rows)


def test_gauss_newton_of_a_linear_model_with_squared_error_is_its_hessian():
    make, loss, batches = CASES["linear"]
    inputs = torch.cat([batches[0][0], torch.ones(9, 1)], dim=1).double()
    closed = torch.kron(torch.eye(3, dtype=torch.float64), 2.0 / 27.0 * inputs.T @ inputs)  # F.mse_loss is the mean over all 27 numbers
    order = [unit * 6 + place for unit in range(3) for place in range(5)] + [unit * 6 + 5 for unit in range(3)]
    closed = closed[order][:, order]
    torch.testing.assert_close(matrix_of(make, loss, batches, "gauss_newton"), closed, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(matrix_of(make, loss, batches, "hessian"), closed, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["mlp", "convolution", "lstm", "attention", "tied"])
def test_gauss_newton_is_the_jacobian_around_the_losses_hessian(name):
    """The Hessian of the loss of the *linearised* model is the Gauss-Newton matrix: taken here by finite differences of that model's gradients."""
    make, loss, batches = CASES[name]
    batch = batches[0]
    curvature = TrainingCurvature.of(training(make, loss, [batch]))
    losses, parameters = curvature.losses, curvature.parameters
    output, _ = losses.output_and_loss(0)
    flat = output.reshape(-1)
    rows = []
    for entry in flat:
        found = torch.autograd.grad(entry, parameters, retain_graph=True, allow_unused=True)
        rows.append(torch.cat([torch.zeros_like(like).reshape(-1) if part is None else part.reshape(-1) for part, like in zip(found, parameters, strict=True)]))
    jacobian = torch.stack(rows).detach()
    target = losses.batches[0][1]
    inner = torch.autograd.functional.hessian(lambda given: loss(given.view(output.shape), target), flat.detach())
    torch.testing.assert_close(dense(curvature.products("gauss_newton")), jacobian.T @ inner @ jacobian, rtol=1e-9, atol=1e-12)


def test_empirical_fisher_is_the_mean_of_the_outer_products_of_single_gradients():
    inputs, targets = numbers(11, 4), classes(3, 11)
    gradients = single_gradients(training(mlp, F.cross_entropy, [(inputs, targets)]).start().model.double(), F.cross_entropy, inputs.double(), targets)
    found = matrix_of(mlp, F.cross_entropy, [(inputs[:4], targets[:4]), (inputs[4:], targets[4:])], "empirical_fisher")
    torch.testing.assert_close(found, gradients.T @ gradients / 11, rtol=1e-10, atol=1e-13)


def test_for_a_sum_of_losses_it_is_the_sum():
    inputs, targets = numbers(5, 4), classes(3, 5)

    def summed(output, target):
        return F.cross_entropy(output, target, reduction="sum")

    gradients = single_gradients(training(mlp, summed, [(inputs, targets)]).start().model.double(), summed, inputs.double(), targets)
    found = matrix_of(mlp, summed, [(inputs, targets)], "empirical_fisher", is_mean=False)
    torch.testing.assert_close(found, gradients.T @ gradients, rtol=1e-10, atol=1e-13)


def test_the_true_fisher_of_a_softmax_is_its_gauss_newton():
    """Labels drawn from the model's own probabilities, in exact expectation: every example with every label, weighted by its probability."""
    inputs, targets = numbers(6, 4), classes(3, 6)
    model = training(mlp, F.cross_entropy, [(inputs, targets)]).start().model.double()
    chances = model(inputs.double()).softmax(1).detach()
    expected = torch.zeros(51, 51, dtype=torch.float64)
    for label in range(3):
        gradients = single_gradients(model, F.cross_entropy, inputs.double(), torch.full((6,), label))
        expected += gradients.T @ (chances[:, label, None] * gradients) / 6
    torch.testing.assert_close(matrix_of(mlp, F.cross_entropy, [(inputs, targets)], "gauss_newton"), expected, rtol=1e-10, atol=1e-13)


@dataclass
class Answer:
    """An output as some libraries give it."""

    logits: Tensor
    extra: dict[str, Tensor]
    note: str = "not a tensor"


class Structured(nn.Module):
    """Gives a dataclass with a dictionary in it."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 2)

    def forward(self, inputs):
        return Answer(self.a(inputs).tanh(), {"b": self.b(inputs).sigmoid()})


def test_outputs_of_any_structure():
    def loss(answer, target):
        return F.mse_loss(answer.logits, target) + answer.extra["b"].square().mean()

    batch = (numbers(6, 4), numbers(6, 3, seed=5))
    found = matrix_of(Structured, loss, [batch], "gauss_newton")
    hessian = dense_hessian(training(Structured, loss, [batch]).start().model, loss, [batch])
    assert found.shape == hessian.shape
    assert float(torch.linalg.eigvalsh(found)[0]) > -1e-12  # convex in the output
    assert float((found - hessian).abs().max()) > 1e-3  # and not the Hessian: the activations are curved
    fisher = matrix_of(Structured, loss, [batch], "empirical_fisher")
    assert torch.linalg.matrix_rank(fisher) <= 6


def test_an_output_without_examples_has_no_fisher_matrix():
    weights = torch.ones(2, requires_grad=True)
    with pytest.raises(CurvatureBlind, match="first dimension counts the examples"):
        OutputProducts(weights.square().sum(), lambda given: given**2, [weights], "empirical_fisher")


def test_a_loss_that_is_linear_in_the_output_has_none():
    weights = torch.ones(2, requires_grad=True)
    assert OutputProducts(weights.square(), lambda given: given.sum(), [weights], "gauss_newton").flat_product(torch.ones(2)).tolist() == [0.0, 0.0]
