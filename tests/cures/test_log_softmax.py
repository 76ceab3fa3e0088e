"""One operation, and only where a softmax stands under the logarithm."""

import math

import pytest
import torch
from torch.nn import functional as F

from kazami.cures.log_softmax import LogSoftmax
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import (
    EXAMPLES,
    Softmaxed,
)
from tests.cures.trainings import STYLES, carried_out, network, rows, training


def test_it_is_finite_where_two_operations_are_not():
    logits = torch.tensor([[0.0, 200.0]])
    scope = {"F": F, "logits": logits}
    exec(prescribed(LogSoftmax(), finding("log_of_softmax"), trace()).code, scope)
    assert torch.isfinite(scope["log_probabilities"]).all()
    assert not torch.isfinite(torch.log(torch.softmax(logits, -1))).all()


def test_a_nan_elsewhere_is_left_to_others():
    assert LogSoftmax().prescribe(finding("nan_inf", place="sqrt after 2"), trace(facts={"log_of_softmax": {"activation": "softmax"}})) is None
    assert LogSoftmax().prescribe(finding("nan_inf", place="log after 2"), trace(facts={"log_of_softmax": {"activation": "softmax"}})) is not None
    assert LogSoftmax().prescribe(finding("nan_inf", place="log after 2"), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_it_is_the_cross_entropy_of_the_logits(style):
    before, parameters = EXAMPLES["log_softmax"](style)
    after = carried_out(LogSoftmax(), before, **parameters)
    torch.testing.assert_close(torch.tensor(after.run().losses), torch.tensor(before.run().losses))
    loud = before.replaced(model=lambda: _louder(before.model()))
    assert not all(map(math.isfinite, loud.run().losses))
    assert all(map(math.isfinite, LogSoftmax().apply(loud, parameters).run().losses))


def _louder(model):
    last = model.net.c if hasattr(model.net, "c") else model.net[4]
    last.weight.data.mul_(1e4)
    return model


def _in_the_loss(output, target):
    return F.nll_loss(torch.log(torch.softmax(output, 1)), target)


def _with_a_floor(output, target):
    return F.nll_loss((torch.softmax(output, 1) + 1e-9).log(), target)


def _clamped(output, target):
    return F.nll_loss(torch.log(F.softmax(output, 1).clamp_min(1e-8)), target)


def _picked(output, target):
    return -torch.log(torch.softmax(output, 1)[torch.arange(len(target)), target]).mean()


def _twice(output, target):
    return F.nll_loss(torch.log(F.log_softmax(output, 1)), target)


@pytest.mark.parametrize("loss", [_in_the_loss, _with_a_floor, _clamped, _picked, _twice])
def test_however_it_is_written(loss):
    before = training(lambda: network("functions", "relu", 4), loss, rows(classes=4))
    after = carried_out(LogSoftmax(), before, dim=-1)
    exact = before.replaced(loss=F.cross_entropy)
    torch.testing.assert_close(torch.tensor(after.run().losses), torch.tensor(exact.run().losses))


def test_a_softmax_in_the_model_and_a_logarithm_in_the_loss():
    before = training(lambda: Softmaxed("modules"), lambda output, target: F.nll_loss(torch.log(output), target), rows(classes=4))
    after = carried_out(LogSoftmax(), before, dim=-1)
    exact = training(lambda: Softmaxed("modules").net, F.cross_entropy, rows(classes=4))
    torch.testing.assert_close(torch.tensor(after.run().losses), torch.tensor(exact.run().losses))


def test_other_logarithms_are_left_alone():
    assert LogSoftmax().apply(training(lambda: network("modules"), lambda output, target: torch.log(output.square() + 1).mean()), {"dim": -1}) is None


def test_a_step_of_the_users_own_is_taken_in_the_same_way():
    def step(model, optimizer, batch):
        optimizer.zero_grad()
        loss = _in_the_loss(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        return loss

    before = training(lambda: network("functions", "relu", 4), F.cross_entropy, rows(classes=4))
    after = carried_out(LogSoftmax(), before.replaced(train_step=step), dim=-1)
    torch.testing.assert_close(torch.tensor(after.run().losses), torch.tensor(before.run().losses))
