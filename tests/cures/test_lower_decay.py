"""Decay alone would have left 95 % of the weights over the same steps."""

import pytest
import torch

from kazami.cures.lower_decay import LEFT, LowerDecay
from tests.cures.cases import ADAM, finding, prescribed, trace
from tests.cures.examples import (
    carried_example,
)
from tests.cures.trainings import STYLES, plain


@pytest.mark.parametrize("shrunk", [0.5, 0.1, 1e-3])
def test_the_new_decay_would_have_left_the_weights(shrunk):
    given = prescribed(LowerDecay(), finding("over_decay", shrunk, "weights left since the start"), trace(optimizer=ADAM | {"weight_decay": 5.0}))
    left = shrunk ** (given.parameters["weight_decay"] / 5.0)
    assert LEFT - 1e-9 <= left < 1
    assert "weight_decay=" in given.code


def test_no_decay_and_dropout_are_left_alone():
    assert LowerDecay().prescribe(finding("over_decay", 0.1, "weights left"), trace()) is None
    assert LowerDecay().prescribe(finding("over_regularised", 0.9, "dropout rate"), trace(optimizer=ADAM | {"weight_decay": 5.0})) is None


@pytest.mark.parametrize("style", STYLES)
def test_every_group_decays_less(style):
    after = carried_example(LowerDecay(), style)
    assert [group["weight_decay"] for group in after.start().optimizer.param_groups] == [0.001]


def test_an_optimizer_without_decay_is_left_alone():
    before = plain("modules", optimizer=lambda model: torch.optim.LBFGS(model.parameters()))
    assert LowerDecay().apply(before, {"weight_decay": 0.001, "from": 0.1}) is None
