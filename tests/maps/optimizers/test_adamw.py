"""AdamW as a map is torch's AdamW, with its exact derivative."""

import pytest
import torch

from tests.maps.properties import assert_adaptive_threshold, assert_conforms

CASES = [
    {"lr": 0.01},
    {"lr": 0.02, "weight_decay": 0.3, "eps": 1e-3},
    {"lr": 0.01, "amsgrad": True},
]


@pytest.mark.parametrize("settings", CASES, ids=str)
def test_is_torch_with_an_exact_derivative(settings):
    assert_conforms(lambda model: torch.optim.AdamW(model.parameters(), **settings))


@pytest.mark.parametrize("changes", [{"clip_grad_norm": 0.3}, {"zero_grad": False}], ids=str)
def test_is_so_with_clipped_and_with_accumulated_gradients(changes):
    assert_conforms(lambda model: torch.optim.AdamW(model.parameters(), **CASES[0]), **changes)


def test_turns_unstable_where_theory_says_with_its_scaling_frozen():
    assert_adaptive_threshold(lambda model: torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.0))
