"""What the rules share."""

import pytest
import torch

from kazami.maps.optimizers._base import decayed, momentum_product, root


def test_root_is_the_square_root_with_a_harmless_derivative_at_zero():
    square = torch.tensor([0.0, 4.0], dtype=torch.float64, requires_grad=True)
    value = root(square)
    assert value.tolist() == [0.0, 2.0]
    assert torch.autograd.grad(value.sum(), square)[0].tolist() == [0.0, 0.25]


def test_decay_enters_the_gradient_or_shrinks_the_weights():
    theta, gradient = torch.tensor([2.0]), torch.tensor([1.0])
    coupled = decayed(theta, gradient, {"weight_decay": 0.5, "lr": 0.1})
    assert [float(part) for part in coupled] == [2.0, 2.0]
    decoupled = decayed(theta, gradient, {"weight_decay": 0.5, "lr": 0.1, "decoupled_weight_decay": True})
    assert [float(part) for part in decoupled] == [pytest.approx(1.9), 1.0]


def test_the_product_of_momenta_is_torchs():
    parameter = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.NAdam([parameter], lr=1e-3)
    for _ in range(40):
        parameter.grad = torch.ones(1)
        optimizer.step()
    assert momentum_product(optimizer.param_groups[0], 40) == pytest.approx(float(optimizer.state[parameter]["mu_product"]), rel=1e-6)
    assert momentum_product(optimizer.param_groups[0], 100_000) == 0.0
