"""SGD as a map is torch's SGD, with its exact derivative."""

import pytest
import torch

from kazami.maps.optimizers.sgd import SGD
from tests.maps.properties import assert_conforms, assert_turns_unstable_at_its_threshold

CASES = [
    {"lr": 0.5},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.2, "weight_decay": 0.1},
    {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.1, "maximize": True},
]


@pytest.mark.parametrize("settings", CASES, ids=str)
def test_is_torch_with_an_exact_derivative(settings):
    assert_conforms(lambda model: torch.optim.SGD(model.parameters(), **settings))


@pytest.mark.parametrize("changes", [{"clip_grad_norm": 0.3}, {"zero_grad": False}], ids=str)
def test_is_so_with_clipped_and_with_accumulated_gradients(changes):
    assert_conforms(lambda model: torch.optim.SGD(model.parameters(), **CASES[0]), **changes)


@pytest.mark.parametrize("settings", [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.9, "nesterov": True}], ids=str)
def test_turns_unstable_where_theory_says(settings):
    assert_turns_unstable_at_its_threshold(lambda model: torch.optim.SGD(model.parameters(), **settings), steps=3)


def test_plain_gradient_descent_has_no_memory():
    assert SGD().slots({"momentum": 0.0}) == ()
