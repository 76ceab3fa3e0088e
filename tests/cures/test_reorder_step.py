"""Clear, backward, step: in this order gradients arrive."""

import pytest
import torch
from torch.nn import functional as F

from kazami.cures.reorder_step import ReorderStep
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, fingerprint, plain

WIPED = {"wiped_gradients": {"wiped": 3, "of": 3}}


def test_the_lines_move_the_weights():
    weight = torch.ones(2, requires_grad=True)
    code = prescribed(ReorderStep(), finding("frozen_parameters"), trace(facts=WIPED)).code
    exec(code, {"optimizer": torch.optim.SGD([weight], lr=0.1), "loss": weight.sum()})
    assert weight.tolist() == pytest.approx([0.9, 0.9])


@pytest.mark.parametrize("facts", [{}, {"wiped_gradients": {"wiped": 1, "of": 3}}], ids=["never", "sometimes"])
def test_nothing_is_said_where_steps_find_their_gradients(facts):
    assert ReorderStep().prescribe(finding("frozen_parameters"), trace(facts=facts)) is None


@pytest.mark.parametrize("style", STYLES)
def test_a_step_that_cleared_too_late_trains_like_the_standard_one(style):
    before, parameters = EXAMPLES["reorder_step"](style)
    assert fingerprint(carried_out(ReorderStep(), before, **parameters)) == fingerprint(plain(style))
    assert ReorderStep().apply(plain(style), parameters) is None


def test_a_step_that_came_too_early_does_too():
    def early(model, optimizer, batch):
        loss = F.mse_loss(model(batch[0]), batch[1])
        optimizer.zero_grad()
        optimizer.step()
        loss.backward()
        return loss

    after = carried_out(ReorderStep(), plain("modules", train_step=early), order="zero_grad, backward, step")
    assert fingerprint(after) == fingerprint(plain("modules"))
