"""What is in no optimizer gets there, once."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.add_to_optimizer import AddToOptimizer
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import STYLES, plain


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


@pytest.mark.parametrize("style", STYLES)
def test_the_optimizer_holds_everything_afterwards(style):
    after = carried_example(AddToOptimizer(), style)
    state = after.start()
    held = {id(p) for group in state.optimizer.param_groups for p in group["params"]}
    assert held == {id(p) for p in state.model.parameters()}
    assert AddToOptimizer().apply(after, {}) is None


def test_a_head_that_was_replaced_leaves_the_optimizer():
    def optimizer(model):
        made = torch.optim.SGD(model.parameters(), lr=0.1)
        model[4] = nn.Linear(6, 1)
        return made

    state = AddToOptimizer().apply(plain("modules", optimizer=optimizer), {"parameters": ["4.weight"]}).start()
    assert {id(p) for group in state.optimizer.param_groups for p in group["params"]} == {id(p) for p in state.model.parameters()}


def test_parameters_of_the_loss_stay_in_the_optimizer():
    scale = nn.Parameter(torch.ones(()))
    before = plain(
        "modules", loss=lambda output, target: F.mse_loss(scale * output, target), optimizer=lambda m: torch.optim.SGD([scale, *m[4].parameters()], lr=0.1)
    )
    state = AddToOptimizer().apply(before, {"parameters": ["0.weight"]}).start()
    assert any(p is scale for group in state.optimizer.param_groups for p in group["params"])
