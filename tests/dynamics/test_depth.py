"""Exponents over depth with respect to the input."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.dynamics import depth_exponents
from kazami.errors import UsageError


def test_a_linear_stack_has_the_singular_values_of_the_product():
    torch.manual_seed(0)
    model = nn.Sequential(*(nn.Linear(5, 5) for _ in range(4)))
    found = depth_exponents(model, torch.randn(2, 5))
    product = np.eye(5)
    for depth, layer in enumerate(model):
        product = layer.weight.detach().double().numpy() @ product
        np.testing.assert_allclose(found.growth[1, depth], np.log(np.linalg.svd(product)[1]), atol=1e-9)
    assert found.value == pytest.approx(found.growth[:, -1, 0].mean() / 4)


def test_a_tanh_network_against_finite_differences():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4)).double()
    point = torch.randn(1, 3, dtype=torch.float64)
    columns = []
    for direction in torch.eye(3, dtype=torch.float64):
        columns.append(((model(point + 1e-6 * direction) - model(point - 1e-6 * direction)) / 2e-6).detach().numpy()[0])
    expected = np.log(np.linalg.svd(np.stack(columns))[1])
    np.testing.assert_allclose(depth_exponents(model, point).growth[0, -1], expected, atol=1e-6)


def test_order_and_chaos_of_random_tanh_networks():
    """Poole et al. 2016: without biases small changes shrink below the weight variance 1 and grow above it."""
    values = []
    for variance in (0.5, 4.0):
        torch.manual_seed(0)
        layers = []
        for _ in range(12):
            layer = nn.Linear(100, 100, bias=False)
            nn.init.normal_(layer.weight, std=(variance / 100) ** 0.5)
            layers += [layer, nn.Tanh()]
        values.append(depth_exponents(nn.Sequential(*layers), torch.randn(2, 100)).value)
    assert values[0] < 0.0 < values[1]


def test_convolution_attention_and_a_picture():
    torch.manual_seed(0)
    convolution = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
    found = depth_exponents(convolution, torch.randn(2, 1, 6, 6))
    assert found.names == ("0", "1", "2", "3", "4")
    attention = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    assert np.isfinite(depth_exponents(attention, torch.randn(1, 4, 8)).growth[0, -1, 0])
    assert found.figure().axes[0].get_title(loc="left").startswith("A small change of the input")
    assert found.figure(language="ja").axes[0].get_title(loc="left").startswith("入力")


def test_whole_numbers_have_no_small_changes():
    with pytest.raises(UsageError, match="whole numbers"):
        depth_exponents(nn.Embedding(3, 2), torch.tensor([[1, 2]]))


def test_the_model_stays_as_it_is():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    depth_exponents(model, torch.randn(4, 3))
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
