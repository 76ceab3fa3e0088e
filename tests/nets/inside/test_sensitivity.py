"""Sensitivities with a closed form, and what is said about them."""

import math

import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets import local_model, sensitivity
from tests.nets.inside.test_jacobian import Cubed
from tests.nets.models import Written, normal, seeded_model


def test_a_diagonal_layer_is_its_own_answer():
    layer = nn.Linear(3, 3).double()
    layer.weight.data = torch.diag(torch.tensor([0.5, 4.0, 2.0], dtype=torch.float64))
    found = sensitivity(layer, normal(2, 3), k=2)
    assert torch.allclose(found.values, torch.tensor([[4.0, 2.0]] * 2, dtype=torch.float64))
    assert torch.allclose(found.input_directions[0, 0].abs(), torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64), atol=1e-12)
    assert torch.allclose(found.lipschitz, torch.full((2,), 4.0, dtype=torch.float64))
    assert "4" in found.said[0].en


def test_the_lipschitz_bound_is_never_above_the_truth_and_finds_the_steep_place():
    # tanh(5 x): slope 5 / cosh²(5 x), steepest at 0, which lies within the ball of radius 0.5 around 0.3 and not within that of 0.1
    model = Written(lambda _, x: torch.tanh(5 * x))
    x = torch.tensor([[0.3]], dtype=torch.float64)
    wide, narrow = (float(sensitivity(model, x, radius=radius).lipschitz) for radius in (0.3, 0.1))
    truth_narrow = 5 / math.cosh(5 * 0.2) ** 2
    assert 4.9 < wide <= 5.0
    assert narrow == pytest.approx(truth_narrow, rel=1e-6)
    assert narrow <= truth_narrow * (1 + 1e-12)


def test_rows_that_interact_are_one_point():
    found = sensitivity(Written(lambda _, x: x - x.mean(0)), normal(4, 3), k=2)
    assert found.values.shape == (1, 2)
    assert torch.allclose(found.values, torch.ones(1, 2, dtype=torch.float64))


def test_a_wrong_backward_pass_is_said():
    assert any("backward pass is wrong" in sentence.en for sentence in sensitivity(Written(lambda _, x: Cubed.apply(x)), normal(2, 4)).said)


def test_k_below_one_is_refused():
    with pytest.raises(UsageError, match="at least 1"):
        sensitivity(nn.Linear(2, 2), normal(1, 2), k=0)


def test_plain_data_and_both_languages():
    found = sensitivity(seeded_model(lambda: nn.Linear(2, 3)), normal(2, 2))
    assert len(found.to_dict()["singular_values"]) == 2
    assert all(sentence.ja for sentence in found.said)


class Root(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width

    def forward(self, x):
        return torch.sqrt(x.clamp(min=0)).repeat(1, self.width)


@pytest.mark.parametrize("width", [1, pytest.param(60, marks=pytest.mark.slow)])  # decomposed at once, and searched
def test_a_derivative_that_is_not_finite_is_refused_in_one_sentence(width):
    x = torch.ones(3, 90, dtype=torch.float64)
    x[1, 4] = 0.0
    with pytest.raises(UsageError, match=r"derivative should be finite.*row 1"):
        sensitivity(Root(width), x)
    with pytest.raises(UsageError, match=r"derivative should be finite"):
        local_model(Root(width), x, row=1)
    assert torch.allclose(sensitivity(Root(width), x[:1], k=1).values, torch.tensor([[0.5 * width**0.5]], dtype=torch.float64))
