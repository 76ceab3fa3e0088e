"""Products with the Jacobian against finite differences and closed forms, by every way; singular values against NumPy's of the built matrix."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.nets.inside.input_output_map import input_output_map
from kazami.nets.inside.jacobian import JacobianProducts, singular_triplets
from tests.nets.models import Written, normal, seeded_model


def products_of(model, example):
    function = input_output_map(model, example)
    return JacobianProducts(function), function


def tanh_net(n=70, m=60):
    return seeded_model(lambda: nn.Sequential(nn.Linear(n, 80), nn.Tanh(), nn.Linear(80, m)))


def jacobian_of_tanh_net(model, row):
    w, b, v = (tensor.detach().numpy() for tensor in (model[0].weight, model[0].bias, model[2].weight))
    return v @ np.diag(1 - np.tanh(w @ row + b) ** 2) @ w


class Cubed(torch.autograd.Function):
    """A square whose backward is that of a cube."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * 3 * x


@pytest.mark.parametrize("way", ["forward mode", "double backward", "rows"])
def test_products_equal_the_closed_form_by_every_way(way):
    model, x = tanh_net(7, 5), normal(3, 7)
    products, function = products_of(model, x)
    products.way = way
    v, u = normal(3, 7, seed=1), normal(3, 5, seed=2)
    closed = np.stack([jacobian_of_tanh_net(model, row) for row in x.numpy()])
    context = function.each_row
    assert np.allclose(products.forward(x, v, context).numpy(), np.einsum("bmn,bn->bm", closed, v.numpy()), atol=1e-13)
    assert np.allclose(products.backward(x, u, context).numpy(), np.einsum("bmn,bm->bn", closed, u.numpy()), atol=1e-13)
    assert np.allclose(products.dense(x, context).numpy(), closed, atol=1e-13)


@pytest.mark.parametrize("k", [1, 3])
def test_the_search_finds_the_singular_values_of_the_closed_form(k):
    model, x = tanh_net(), normal(2, 70)
    products, function = products_of(model, x)
    found = singular_triplets(products, x, k=k, context=function.each_row, method="krylov")
    assert found.method == "block Krylov"
    for row in range(2):
        closed = jacobian_of_tanh_net(model, x[row].numpy())
        assert np.allclose(found.values[row].numpy(), np.linalg.svd(closed)[1][:k], rtol=1e-8)
        assert np.allclose(closed @ found.right[row].numpy().T, (found.values[row, :, None] * found.left[row]).numpy().T, atol=1e-10)


def test_equal_singular_values_are_found_as_often_as_they_occur():
    layer = nn.Linear(60, 60, bias=False).double()
    layer.weight.data = torch.diag(torch.tensor([5.0, 5.0, 5.0, 2.0] + [1.0] * 56, dtype=torch.float64))
    products, function = products_of(layer, normal(1, 60))
    found = singular_triplets(products, function.rows, k=4, method="krylov")
    assert torch.allclose(found.values[0], torch.tensor([5.0, 5.0, 5.0, 2.0], dtype=torch.float64))


def test_a_wrong_backward_pass_shows():
    products, function = products_of(Written(lambda _, x: Cubed.apply(x)), normal(2, 4))
    gaps = products.derivative_gap(function.rows, normal(2, 4, seed=1), function.each_row)
    assert torch.allclose(gaps, torch.full((2,), 1 / 3, dtype=torch.float64), atol=1e-6)
    products, function = products_of(tanh_net(4, 3), normal(2, 4))
    assert float(products.derivative_gap(function.rows, normal(2, 4, seed=1), function.each_row).max()) < 1e-8


def test_where_nothing_depends_on_the_input_all_is_zero():
    products, function = products_of(Written(lambda _, x: torch.sign(x.detach())), normal(2, 3))
    assert torch.equal(products.forward(function.rows, function.rows), torch.zeros(2, 3, dtype=torch.float64))
    assert torch.equal(products.backward(function.rows, function.rows), torch.zeros(2, 3, dtype=torch.float64))
    assert float(singular_triplets(products, function.rows).values.max()) == 0.0


def test_attention_and_recurrence_have_products():
    for model, example in (
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), normal(2, 5, 8)),
        (nn.LSTM(3, 4, batch_first=True), normal(2, 5, 3)),
    ):
        products, function = products_of(seeded_model(lambda model=model: model), example)
        assert float(products.derivative_gap(function.rows, torch.ones_like(function.rows), function.each_row).max()) < 1e-6
