"""The line clears the gradients."""

import pytest
import torch
from torch.nn import functional as F

from kazami.cures.zero_grad import ZeroGrad
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, fingerprint, plain


def test_gradients_are_gone_afterwards():
    weight = torch.ones(2, requires_grad=True)
    weight.sum().backward()
    exec(prescribed(ZeroGrad(), finding("no_zero_grad"), trace()).code, {"optimizer": torch.optim.SGD([weight], lr=0.1)})
    assert weight.grad is None


@pytest.mark.parametrize("style", STYLES)
def test_gradients_no_longer_add_up(style):
    before, parameters = EXAMPLES["zero_grad"](style)
    after = carried_out(ZeroGrad(), before, **parameters)
    assert fingerprint(after) == fingerprint(plain(style))
    assert ZeroGrad().apply(plain(style), parameters) is None


def test_a_step_of_ones_own_begins_with_cleared_gradients():
    def forgetful(model, optimizer, batch):
        loss = F.mse_loss(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        return loss

    after = carried_out(ZeroGrad(), plain("modules", train_step=forgetful), zero_grad=True)
    assert fingerprint(after) == fingerprint(plain("modules"))
