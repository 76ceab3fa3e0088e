"""NAdam as a map is torch's NAdam, with its exact derivative."""

import pytest
import torch

from tests.maps.properties import assert_conforms

CASES = [
    {"lr": 0.01},
    {"lr": 0.002, "weight_decay": 0.1, "momentum_decay": 0.1},
    {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
]


@pytest.mark.parametrize("settings", CASES, ids=str)
def test_is_torch_with_an_exact_derivative(settings):
    assert_conforms(lambda model: torch.optim.NAdam(model.parameters(), **settings))


@pytest.mark.parametrize("changes", [{"clip_grad_norm": 0.3}, {"zero_grad": False}], ids=str)
def test_is_so_with_clipped_and_with_accumulated_gradients(changes):
    assert_conforms(lambda model: torch.optim.NAdam(model.parameters(), **CASES[0]), **changes)
