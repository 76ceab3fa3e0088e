"""Frozen parameters move again."""

import pytest
import torch
from torch import nn

from kazami.cures.unfreeze import Unfreeze
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import STYLES, carried_out, plain


def test_frozen_parameters_require_gradients_afterwards():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).requires_grad_(False)
    facts = {"frozen": {"0": 4, "1": 4}, "requires_no_gradient": ["0.weight", "0.bias"]}
    exec(prescribed(Unfreeze(), finding("frozen_parameters"), trace(facts=facts)).code, {"model": model})
    assert all(p.requires_grad for p in model.parameters())


def test_nothing_frozen_nothing_to_do():
    assert Unfreeze().prescribe(finding("frozen_parameters"), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_what_was_frozen_moves(style):
    after = carried_example(Unfreeze(), style)
    begin, end = after.start().model, after.run().model
    assert not any(torch.equal(p, q) for p, q in zip(begin.parameters(), end.parameters(), strict=True))


def test_a_group_at_a_rate_of_zero_gets_that_of_the_others():
    def optimizer(model):
        return torch.optim.SGD([{"params": model[0].parameters(), "lr": 0.0}, {"params": model[2:].parameters()}], lr=0.05)

    given = prescribed(Unfreeze(), finding("frozen_parameters"), trace(optimizer={"name": "SGD", "groups": 2}, numbers={"learning_rate": [0.05] * 9}))
    before = plain("modules", optimizer=optimizer)
    after = carried_out(Unfreeze(), before, **given.parameters)
    assert [group["lr"] for group in after.start().optimizer.param_groups] == [0.05, 0.05]
    optimizer_ = before.start().optimizer
    exec(given.code, {"optimizer": optimizer_})
    assert [group["lr"] for group in optimizer_.param_groups] == [0.05, 0.05]


def test_a_model_that_moves_is_left_alone():
    assert Unfreeze().apply(plain("modules"), {"parameters": ["0.weight"]}) is None
