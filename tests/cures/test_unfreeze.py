"""Frozen parameters move again."""

from torch import nn

from kazami.cures.unfreeze import Unfreeze
from tests.cures.cases import finding, prescribed, trace


def test_frozen_parameters_require_gradients_afterwards():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).requires_grad_(False)
    facts = {"frozen": {"0": 4, "1": 4}, "requires_no_gradient": ["0.weight", "0.bias"]}
    exec(prescribed(Unfreeze(), finding("frozen_parameters"), trace(facts=facts)).code, {"model": model})
    assert all(p.requires_grad for p in model.parameters())


def test_nothing_frozen_nothing_to_do():
    assert Unfreeze().prescribe(finding("frozen_parameters"), trace()) is None
