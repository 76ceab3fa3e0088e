"""Bounded activations become ReLU, a dying ReLU becomes leaky; recurrent nets keep their bound."""

import pytest

from kazami.cures.change_activation import ChangeActivation
from tests.cures.cases import finding, mlp, prescribed, recurrent, trace


@pytest.mark.parametrize(
    ("name", "old", "new"), [("vanishing_gradient", "sigmoid", "nn.ReLU()"), ("saturated", "tanh", "nn.ReLU()"), ("dead_units", "relu", "nn.LeakyReLU(0.01)")]
)
def test_the_new_slope_does_not_fade(name, old, new):
    given = prescribed(ChangeActivation(), finding(name, place="0"), trace(layers=mlp(old)))
    assert given.code.startswith(f"activation = {new}")
    assert given.parameters["layers"] == ["0", "2"]


def test_a_network_that_has_relu_already_and_one_over_time_are_left_alone():
    assert ChangeActivation().prescribe(finding("vanishing_gradient", 5.0, "over depth", place="0"), trace()) is None
    over_time = finding("vanishing_gradient", 5.0, "attenuation of the gradient over time", place="rnn.weight_hh_l0")
    assert ChangeActivation().prescribe(over_time, trace(layers=recurrent())) is None
