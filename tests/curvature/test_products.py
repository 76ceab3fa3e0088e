"""Hessian products against dense Hessians and finite differences, and what they refuse to touch."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from kazami.curvature import CurvatureBlind, HessianProducts


@pytest.fixture
def logistic():
    """Return (loss of weights of shape (12,), the weights): logistic regression, 40 samples, 3 classes of 4 inputs, float64."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(40, 4, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 3, (40,), generator=generator)
    weights = torch.randn(12, generator=generator, dtype=torch.float64).requires_grad_()
    return (lambda w: F.cross_entropy(inputs @ w.view(4, 3), target)), weights


def test_equal_the_dense_hessian_of_logistic_regression(logistic):
    loss_of, weights = logistic
    dense = torch.autograd.functional.hessian(loss_of, weights.detach())
    products = HessianProducts(loss_of(weights), [weights])
    columns = torch.stack([products.flat_product(unit) for unit in torch.eye(12, dtype=torch.float64)])
    torch.testing.assert_close(columns, dense, rtol=1e-12, atol=1e-14)
    assert products.n_products == 12


def test_logistic_hessian_equals_its_closed_form(logistic):
    """Two classes would give X' p(1-p) X / n; for softmax it is the Kronecker form, written out here."""
    loss_of, weights = logistic
    inputs = torch.randn(40, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    chance = (inputs @ weights.detach().view(4, 3)).softmax(1)
    spread = torch.diag_embed(chance) - chance[:, :, None] * chance[:, None, :]
    closed = torch.einsum("ni,nj,nab->iajb", inputs, inputs, spread).reshape(12, 12) / 40
    direction = torch.randn(12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(HessianProducts(loss_of(weights), [weights]).flat_product(direction), closed @ direction)


def test_precondition_and_penalty_are_those_of_the_formula(logistic):
    loss_of, weights = logistic
    dense = torch.autograd.functional.hessian(loss_of, weights.detach())
    scale = torch.rand(12, generator=torch.Generator().manual_seed(2), dtype=torch.float64) + 0.1
    products = HessianProducts(loss_of(weights), [weights], preconditioner=[scale], penalties=[0.3])
    expected = (dense + 0.3 * torch.eye(12, dtype=torch.float64)) / torch.outer(scale.sqrt(), scale.sqrt())
    direction = torch.randn(12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(products.flat_product(direction), expected @ direction)
    bare = direction @ dense @ direction / direction.square().sum()
    assert products.curvature_along([direction]) == pytest.approx(float(bare), rel=1e-12)


def test_unused_frozen_and_linear_parameters_have_no_curvature():
    used, unused, frozen = (torch.ones(2, requires_grad=flag) for flag in (True, True, False))
    products = HessianProducts((used**2 * frozen).sum(), [used, unused, frozen])
    parts = products.product([torch.ones(2)] * 3)
    assert [part.tolist() for part in parts] == [[2.0, 2.0], [0.0, 0.0], [0.0, 0.0]]
    assert [part.tolist() for part in products.gradients] == [[2.0, 2.0], [0.0, 0.0], [0.0, 0.0]]
    linear = HessianProducts((3.0 * used).abs().sum(), [used])
    assert linear.product([torch.ones(2)])[0].tolist() == [0.0, 0.0]


class Recurrent(nn.Module):
    """An LSTM with a linear reader."""

    def __init__(self):
        super().__init__()
        self.memory, self.reader = nn.LSTM(5, 6, batch_first=True), nn.Linear(6, 2)

    def forward(self, inputs):
        return self.reader(self.memory(inputs)[0][:, -1])


def test_lstm_products_equal_finite_differences():
    """The fused recurrent kernels have hand-written second derivatives: do not take autograd's word for it."""
    torch.manual_seed(0)
    model, inputs, target = Recurrent().double(), torch.randn(8, 7, 5, dtype=torch.float64), torch.randint(0, 2, (8,))
    parameters = list(model.parameters())
    direction = [torch.randn_like(parameter) for parameter in parameters]
    found = HessianProducts(F.cross_entropy(model(inputs), target), parameters).product(direction)
    gradients = []
    for shift in (1e-6, -2e-6):
        with torch.no_grad():
            torch._foreach_add_(parameters, direction, alpha=shift)
        gradients.append(torch.autograd.grad(F.cross_entropy(model(inputs), target), parameters))
    for part, ahead, behind in zip(found, *gradients, strict=True):
        torch.testing.assert_close(part, (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-8)


class Doubled(torch.autograd.Function):
    """A custom function, as users write them."""

    @staticmethod
    def forward(ctx, value):
        return 2 * value

    @staticmethod
    def backward(ctx, gradient):
        return 2 * gradient


def checkpointed(weights):
    return checkpoint(lambda w: w.tanh().sum(), weights, use_reentrant=False)


def under_autocast(weights):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return (weights.view(1, 3) @ weights.view(3, 1)).float().sum()


def hooked_module(weights):
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda *_: None)
    return layer(weights * 1.0).sum()


def fused_attention(weights):
    query = weights.view(1, 1, 3, 1) * torch.ones(8)
    return F.scaled_dot_product_attention(query, query, query).square().sum()


def changed_in_place(weights):
    middle = weights.exp()
    loss = middle.square().sum()
    middle.add_(1.0)
    return loss


def spent(weights):
    loss = weights.square().sum()
    loss.backward()
    return loss


REFUSED = [
    (lambda w: Doubled.apply(w).square().sum(), "written in Python"),
    (checkpointed, "saved-tensor hooks"),
    (under_autocast, "half precision"),
    (hooked_module, "written in Python"),
    (fused_attention, "fused attention"),
    (changed_in_place, "in place"),
    (spent, "freed"),
    (lambda w: w.square(), "scalar"),
    (lambda w: w.detach().sum(), "graph"),
]


@pytest.mark.parametrize(("loss_of", "reason"), REFUSED)
def test_refuse_with_a_reason(loss_of, reason):
    weights = torch.linspace(0.1, 1.0, 3).requires_grad_()
    with pytest.raises(CurvatureBlind, match=reason):
        HessianProducts(loss_of(weights), [weights]).product([torch.ones(3)])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_refuse_half_precision(dtype):
    weights = torch.ones(3, dtype=dtype, requires_grad=True)
    with pytest.raises(CurvatureBlind, match="coarse"):
        HessianProducts(weights.square().sum(), [weights])


def test_a_refusal_leaves_the_graph_to_the_user():
    weights = torch.linspace(0.1, 1.0, 3).requires_grad_()
    loss = fused_attention(weights)
    with pytest.raises(CurvatureBlind):
        HessianProducts(loss, [weights]).product([torch.ones(3)])
    assert weights.grad is None
    loss.backward()
    assert weights.grad is not None


def test_sparse_gradients_are_refused():
    table = nn.Embedding(5, 3, sparse=True)
    with pytest.raises(CurvatureBlind, match="sparse"):
        HessianProducts(table(torch.tensor([1, 2])).square().sum(), [table.weight])


def test_work_under_no_grad_and_anomaly_mode():
    weights = torch.ones(2, requires_grad=True)
    loss = (weights**3).sum()
    with torch.no_grad(), pytest.warns(UserWarning, match="Anomaly"), torch.autograd.detect_anomaly():
        assert HessianProducts(loss, [weights]).product([torch.ones(2)])[0].tolist() == [6.0, 6.0]
