"""Residual blocks seen while a training runs."""

import torch
from torch import nn

from kazami.nets.inside.residual_trace import residual_tape
from tests.nets.models import Written, normal


def trained(watched: bool):
    torch.manual_seed(0)
    block = Written(lambda self, x: x + self.f(x), f=nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.Linear(4, 4)))
    model = nn.Sequential(nn.Linear(4, 4), block, nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    seen = []
    for step in range(5):
        optimizer.zero_grad()
        x = normal(8, 4, seed=step, dtype=torch.float32)
        if watched:
            with residual_tape(model) as ratios:
                (model(x) ** 2).mean().backward()
            seen.append(ratios)
        else:
            (model(x) ** 2).mean().backward()
        optimizer.step()
    return model, seen


def test_watching_a_training_step_changes_nothing_and_sees_one_block_a_pass():
    watched, seen = trained(True)
    plain, _ = trained(False)
    assert all(torch.equal(a, b) for a, b in zip(watched.parameters(), plain.parameters(), strict=True))
    assert [[block.name for block in ratios] for ratios in seen] == [["1"]] * 5
    assert len({ratios[0].ratio for ratios in seen}) == 5
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in watched.modules())


def test_a_pass_that_fails_leaves_no_hook():
    model = nn.Linear(3, 3)
    try:
        with residual_tape(model):
            model(torch.ones(1, 4))
    except RuntimeError:
        pass
    assert not model._forward_hooks


def test_a_block_that_begins_with_nothing_grows_without_bound():
    block = Written(lambda self, x: x + self.f(x), f=nn.Linear(4, 4))
    with residual_tape(block) as ratios:
        block(torch.zeros(2, 4))
    assert ratios[0].ratio == ratios[0].growth == torch.inf
