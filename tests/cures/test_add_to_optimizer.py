"""What is in no optimizer gets there, once."""

import torch
from torch import nn

from kazami.cures.add_to_optimizer import AddToOptimizer
from tests.cures.cases import finding, prescribed, trace


def test_the_parameters_are_in_the_optimizer_afterwards():
    model = nn.ModuleDict({"body": nn.Linear(2, 2), "head": nn.Linear(2, 1)})
    optimizer = torch.optim.SGD(model.body.parameters(), lr=0.1)
    seen = trace(facts={"not_in_optimizer": ["head.weight", "head.bias"]})
    given = prescribed(AddToOptimizer(), finding("frozen_parameters"), seen)
    exec(given.code, {"model": model, "optimizer": optimizer})
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert held == {id(p) for p in model.parameters()}
    assert f"lr={seen.optimizer['learning_rate']}" in given.code


def test_frozen_parameters_are_for_another_cure():
    assert AddToOptimizer().prescribe(finding("frozen_parameters"), trace(facts={"requires_no_gradient": ["0.weight"]})) is None
