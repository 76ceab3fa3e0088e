"""The cut-off layer is named; parameters outside the optimizer come first."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.let_gradients_through import LetGradientsThrough
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import STYLES, carried_out, rows, training


def test_it_names_the_layer_that_gets_no_gradient():
    given = prescribed(LetGradientsThrough(), finding("frozen_parameters"), trace(facts={"never_given_a_gradient": ["encoder.0.weight", "encoder.0.bias"]}))
    assert "model.encoder[0](x)" in given.code
    assert "`encoder.0`" in given.sentence.ja


def test_parameters_outside_the_optimizer_come_first():
    facts = {"never_given_a_gradient": ["0.weight"], "not_in_optimizer": ["4.weight"]}
    assert LetGradientsThrough().prescribe(finding("frozen_parameters"), trace(facts=facts)) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_first_layer_moves_afterwards(style):
    after = carried_example(LetGradientsThrough(), style)
    begin, end = after.start().model, after.run().model
    assert not torch.equal(begin.a.weight, end.a.weight)
    assert torch.is_grad_enabled()


def test_cuts_that_are_meant_stay():
    class Straight(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 1)

        def forward(self, x):
            h = self.b(x)
            rounded = h + (h.round() - h).detach()  # meant
            return self.c(rounded + self.a(x).detach())

    before = training(Straight)
    after = carried_out(LetGradientsThrough(), before, parameters=["a.weight", "a.bias"])
    state = after.start()
    x, y = rows(1)[0]
    F.mse_loss(state.model(x), y).backward()
    plain_h = state.model.c.weight.detach()
    assert state.model.a.weight.grad is not None
    error = 2 * (state.model(x) - y).detach() / len(x)
    torch.testing.assert_close(state.model.b.weight.grad, (error @ plain_h).T @ x)


def test_numbers_of_numpy_stay_cuts():
    class Lost(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.c = nn.Linear(3, 4), nn.Linear(4, 1)

        def forward(self, x):
            return self.c(torch.tensor(self.a(x).tolist()))

    assert LetGradientsThrough().apply(training(Lost), {"parameters": ["a.weight"]}) is None


def test_a_copy_of_the_loss_is_told_as_such():
    facts = {"never_given_a_gradient": ["0.weight"], "is_loss_bare": True}
    assert prescribed(LetGradientsThrough(), finding("frozen_parameters"), trace(facts=facts)).code.endswith("loss.backward()")


def test_gradients_that_were_cleared_too_late_are_for_another_cure():
    facts = {"never_given_a_gradient": ["0.weight"], "wiped_gradients": {"wiped": 2, "of": 2}}
    assert LetGradientsThrough().prescribe(finding("frozen_parameters"), trace(facts=facts)) is None
