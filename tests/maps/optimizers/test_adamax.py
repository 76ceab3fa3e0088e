"""Adamax as a map is torch's Adamax, with its exact derivative."""

import pytest
import torch

from tests.maps.properties import assert_conforms

CASES = [
    {"lr": 0.01},
    {"lr": 0.01, "weight_decay": 0.1},
]


@pytest.mark.parametrize("settings", CASES, ids=str)
def test_is_torch_with_an_exact_derivative(settings):
    assert_conforms(lambda model: torch.optim.Adamax(model.parameters(), **settings))


@pytest.mark.parametrize("changes", [{"clip_grad_norm": 0.3}, {"zero_grad": False}], ids=str)
def test_is_so_with_clipped_and_with_accumulated_gradients(changes):
    assert_conforms(lambda model: torch.optim.Adamax(model.parameters(), **CASES[0]), **changes)
