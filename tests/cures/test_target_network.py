"""Targets come from a slow copy: with a rate of 1 it is the network after its last step, with a rate of 0 the one it began with."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures._slow_copy import with_slow_targets
from kazami.cures.target_network import RATE, TargetNetwork
from tests.cures.cases import finding, prescribed, trace
from tests.cures.trainings import network, plain, training


def runaway(model, optimizer, batch):
    """The target is twice the network's own answer."""
    with torch.no_grad():
        wanted = 2 * model(batch[0]) + 1
    optimizer.zero_grad()
    loss = F.mse_loss(model(batch[0]), wanted)
    loss.backward()
    optimizer.step()
    return loss


def made(**changes):
    return training(lambda: network("modules", "relu"), train_step=runaway, evaluate=None, **changes)


def test_a_copy_that_follows_at_once_changes_nothing():
    assert with_slow_targets(made(), 1.0).run().losses == made().run().losses


def test_a_copy_that_stands_still_gives_the_first_targets():
    before = made(steps=3)
    start = before.start().model
    batches = list(before.batches())
    with torch.no_grad():
        wanted = [2 * start(x) + 1 for x, _ in batches]
    state, expected = before.start(), []
    for (x, _), target in zip(batches, wanted, strict=True):
        state.optimizer.zero_grad()
        loss = F.mse_loss(state.model(x), target)
        loss.backward()
        state.optimizer.step()
        expected.append(float(loss.detach()))
    assert with_slow_targets(before, 0.0).run().losses == pytest.approx(expected)


def test_it_is_slower_to_run_away():
    fast = training(lambda: nn.Linear(3, 1), train_step=runaway, evaluate=None, steps=60, optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=0.02))
    slow = with_slow_targets(fast, 0.01)
    ours, theirs = slow.run().losses[-1], fast.run().losses[-1]
    assert math.isfinite(theirs)
    assert ours < 0.5 * theirs


def test_outside_of_a_step_the_network_answers_itself():
    run = with_slow_targets(made(), 0.0).run()
    x = next(iter(made().batches()))[0]
    torch.testing.assert_close(run.model(x).detach(), _plain_answer(run.model, x))


def _plain_answer(model, x):
    twin = network("modules", "relu")
    twin.load_state_dict(model.state_dict())
    with torch.no_grad():
        return twin(x)


def test_the_rate_is_written_out():
    given = prescribed(TargetNetwork(), finding("growing_targets"), trace(loss_kind="mse"))
    assert given.parameters == {"rate": RATE}
    assert f"{RATE:g}" in given.code


def test_a_training_without_such_targets_is_left_alone():
    assert TargetNetwork().apply(plain("modules"), {"rate": 0.01}) is None

    def step(model, optimizer, batch):
        optimizer.zero_grad()
        loss = F.mse_loss(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        return loss

    assert TargetNetwork().apply(plain("modules", train_step=step), {"rate": 0.01}) is None
