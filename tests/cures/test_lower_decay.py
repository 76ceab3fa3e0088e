"""Decay alone would have left 95 % of the weights over the same steps."""

import pytest

from kazami.cures.lower_decay import LEFT, LowerDecay
from tests.cures.cases import ADAM, finding, prescribed, trace


@pytest.mark.parametrize("shrunk", [0.5, 0.1, 1e-3])
def test_the_new_decay_would_have_left_the_weights(shrunk):
    given = prescribed(LowerDecay(), finding("over_decay", shrunk, "weights left since the start"), trace(optimizer=ADAM | {"weight_decay": 5.0}))
    left = shrunk ** (given.parameters["weight_decay"] / 5.0)
    assert LEFT - 1e-9 <= left < 1
    assert "weight_decay=" in given.code


def test_no_decay_and_dropout_are_left_alone():
    assert LowerDecay().prescribe(finding("over_decay", 0.1, "weights left"), trace()) is None
    assert LowerDecay().prescribe(finding("over_regularised", 0.9, "dropout rate"), trace(optimizer=ADAM | {"weight_decay": 5.0})) is None
