"""The memory is halved, for both ways of writing it."""

import pytest
import torch

from kazami.cures.lower_momentum import LowerMomentum
from tests.cures.cases import ADAM, SGD, finding, prescribed, trace
from tests.cures.examples import (
    EXAMPLES,
)
from tests.cures.trainings import STYLES, carried_out


@pytest.mark.parametrize("optimizer", [SGD, ADAM])
def test_twice_as_much_is_forgotten_a_step(optimizer):
    given = prescribed(LowerMomentum(), finding("oscillating_loss"), trace(optimizer=optimizer))
    assert 1 - given.parameters["momentum"] == pytest.approx(2 * (1 - given.parameters["from"]))
    assert ("betas=(0.8, 0.999)" if optimizer is ADAM else "momentum=0.8") in given.code


def test_without_momentum_there_is_none_to_lower():
    assert LowerMomentum().prescribe(finding("oscillating_loss"), trace(optimizer=SGD | {"momentum": 0})) is None


@pytest.mark.parametrize("style", STYLES)
def test_momentum_falls_whatever_it_is_called(style):
    before, parameters = EXAMPLES["lower_momentum"](style)
    assert carried_out(LowerMomentum(), before, **parameters).start().optimizer.param_groups[0]["momentum"] == 0.1
    adam = before.replaced(optimizer=lambda model: torch.optim.Adam(model.parameters(), betas=(0.95, 0.99)))
    assert carried_out(LowerMomentum(), adam, **parameters).start().optimizer.param_groups[0]["betas"] == (0.1, 0.99)
    adagrad = before.replaced(optimizer=lambda model: torch.optim.Adagrad(model.parameters()))
    assert LowerMomentum().apply(adagrad, parameters) is None
