"""The memory is halved, for both ways of writing it."""

import pytest

from kazami.cures.lower_momentum import LowerMomentum
from tests.cures.cases import ADAM, SGD, finding, prescribed, trace


@pytest.mark.parametrize("optimizer", [SGD, ADAM])
def test_twice_as_much_is_forgotten_a_step(optimizer):
    given = prescribed(LowerMomentum(), finding("oscillating_loss"), trace(optimizer=optimizer))
    assert 1 - given.parameters["momentum"] == pytest.approx(2 * (1 - given.parameters["from"]))
    assert ("betas=(0.8, 0.999)" if optimizer is ADAM else "momentum=0.8") in given.code


def test_without_momentum_there_is_none_to_lower():
    assert LowerMomentum().prescribe(finding("oscillating_loss"), trace(optimizer=SGD | {"momentum": 0})) is None
