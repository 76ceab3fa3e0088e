"""The readable backpropagation on torch's own modules."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.derivatives import backprop, backprop_of
from kazami.derivatives.backprop_of_model import readable, text_of
from kazami.derivatives.backpropagation import ACTIVATIONS, LOSSES
from kazami.errors import UsageError
from tests.derivatives.test_backpropagation import network

X = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.SiLU(), nn.ELU(), nn.Softplus(), nn.LeakyReLU(), nn.Identity()], ids=str)
@pytest.mark.parametrize(("loss", "target"), [("mse", torch.ones(6, 2, dtype=torch.float64)), ("cross_entropy", torch.tensor([0, 1, 1, 0, 1, 0]))])
def test_it_equals_autograd(activation, loss, target):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), activation, nn.Linear(5, 4, bias=False), activation, nn.Linear(4, 2)).double()
    function = F.mse_loss if loss == "mse" else F.cross_entropy
    cost = function(model(X), target)
    cost.backward()
    for given in (loss, function):
        found = backprop_of(model, given, (X, target))
        assert found.loss == pytest.approx(cost.item(), abs=1e-14)
        for mine, layer in zip(found.weight_gradients, [model[0], model[2], model[4]], strict=True):
            np.testing.assert_allclose(mine, layer.weight.grad.T.numpy(), rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.bias_gradients[2], model[4].bias.grad.numpy(), rtol=0, atol=1e-12)


def test_the_model_stays_as_it_is():
    model = nn.Sequential(nn.Linear(3, 2))
    backprop_of(model, nn.MSELoss(), (X, torch.ones(6, 2)))
    assert model[0].weight.grad is None


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (nn.Sequential(nn.Linear(3, 2), nn.GELU()), "GELU"),
        (nn.Sequential(nn.Linear(3, 2), nn.LeakyReLU(0.2)), "LeakyReLU"),
        (nn.Sequential(nn.Tanh(), nn.Linear(3, 2)), "after a linear layer"),
        (nn.TransformerEncoderLayer(4, 1), "kazami.gradcheck"),
    ],
)
def test_what_it_does_not_know_is_said(model, words):
    with pytest.raises(UsageError, match=words):
        backprop_of(model, "mse", (X, torch.ones(6, 2)))
    with pytest.raises(UsageError, match="losses mse, cross_entropy"):
        backprop_of(nn.Sequential(nn.Linear(3, 2)), F.l1_loss, (X, torch.ones(6, 2)))


def test_the_text_holds_every_step_and_number():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    found = backprop_of(model, "mse", (X[:2], torch.ones(2, 2)))
    text = text_of(found)
    assert "δ1 = (δ2 W2ᵀ) ⊙ φ'(Z1), φ'(z) = 1 - tanh² z    2×2 · 2×4 → 2×4" in text
    assert "∂C / ∂W1 = A0ᵀ δ1    3×2 · 2×4 → 3×4" in text
    assert "\\" not in text
    assert "順伝播" in text_of(found, "ja")


def test_all_formulas_become_plain_text():
    for loss in LOSSES:
        for activation in ACTIVATIONS:
            for step in backprop(*network((2, 2, 2), activation, loss)).steps():
                assert not set(readable(step.formula)) & set("\\{}_"), step.formula
