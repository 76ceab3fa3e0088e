"""The output layer's own curvature, against the Hessian itself."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.watch.head import output_curvature
from kazami.watch.losses import LossCall
from tests.watch.seeing import readings_of

GENERATOR = torch.Generator().manual_seed(3)
X = torch.randn(12, 5, generator=GENERATOR)


def network(outputs):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, outputs)).double()


def hessian_of_head(net, loss, h):
    """Largest eigenvalue of the Hessian in the output layer's weights and biases, its inputs ``h`` fixed."""
    weight, bias = net[2].weight.detach(), net[2].bias.detach()
    flat = torch.cat([weight.reshape(-1), bias])

    def of(parameters):
        w, b = parameters[: weight.numel()].reshape(weight.shape), parameters[weight.numel() :]
        return loss(h @ w.T + b)

    return float(torch.linalg.eigvalsh(torch.autograd.functional.hessian(of, flat))[-1])


def test_a_squared_error_is_exact_for_any_inputs():
    net, y = network(2), torch.randn(12, 2, generator=GENERATOR).double()
    h = torch.tanh(net[0](X.double())).detach()
    numbers = readings_of(F.mse_loss(net(X.double()), y)).numbers
    assert numbers["head_curvature"] == pytest.approx(hessian_of_head(net, lambda z: F.mse_loss(z, y), h), rel=1e-6)
    assert numbers["head_energy"] == pytest.approx(float(1 + h.square().sum(1).mean()), rel=1e-6)


def test_a_cross_entropy_is_exact_where_all_samples_look_alike():
    """With constant hidden units and the class shares as answer, the Hessian is the second moment times diag(p) - pp'."""
    net, classes = network(3), torch.tensor([0] * 6 + [1] * 4 + [2] * 2)
    x = torch.ones(12, 5).double()
    with torch.no_grad():
        net[2].weight.zero_()
        net[2].bias.copy_(torch.log(torch.tensor([6.0, 4.0, 2.0]) / 12))
    h = torch.tanh(net[0](x)).detach()
    numbers = readings_of(F.cross_entropy(net(x), classes)).numbers
    assert numbers["head_curvature"] == pytest.approx(hessian_of_head(net, lambda z: F.cross_entropy(z, classes), h), rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "output", "target", "expected"),
    [
        ("cross_entropy", torch.zeros(9, 3), torch.arange(9) % 3, 1 / 3),
        ("bce_with_logits", torch.zeros(4, 1), torch.tensor([[0.0], [1.0], [0.0], [1.0]]), 0.25),
        ("mse", torch.zeros(4, 5), torch.zeros(4, 5), 0.4),
    ],
)
def test_closed_forms(kind, output, target, expected):
    assert output_curvature(LossCall(kind, output, target, None, {})) == pytest.approx(expected)


def test_other_losses_and_networks_without_flat_ends_have_none():
    assert output_curvature(LossCall("mse", torch.zeros(4, 5), torch.zeros(4, 5), None, {"reduction": "sum"})) != pytest.approx(0.4)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))
    assert "head_curvature" not in readings_of(F.mse_loss(net(X), torch.zeros(12, 2))).numbers
