"""Bounded activations become ReLU, a dying ReLU becomes leaky; recurrent nets keep their bound."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.change_activation import ChangeActivation
from tests.cures.cases import finding, mlp, prescribed, recurrent, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import LAYERS, STYLES, carried_out, rows, training


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


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("slope", [0.0, 0.01])
def test_the_new_activation_is_called_and_the_weights_are_drawn_by_he(style, slope):
    before, parameters = EXAMPLES["change_activation"](style)
    after = carried_out(ChangeActivation(), before, **{**parameters, "negative_slope": slope})
    model, x = after.start().model, rows(1)[0][0]
    a, b, c = (model.get_submodule(name) for name in LAYERS[style])
    expected = c(F.leaky_relu(b(F.leaky_relu(a(x), slope)), slope))
    torch.testing.assert_close(model(x), expected)


def test_only_the_activations_after_these_layers_change():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.gate, self.c = nn.Linear(3, 6), nn.Linear(3, 6), nn.Linear(6, 1)

        def forward(self, x):
            return self.c(torch.sigmoid(self.a(x)) * torch.sigmoid(self.gate(x)))

    after = ChangeActivation().apply(training(Gated), {"from": "sigmoid", "to": "relu", "negative_slope": 0.0, "layers": ["a"]})
    model, x = after.start().model, rows(1)[0][0]
    torch.testing.assert_close(model(x), model.c(model.a(x).relu() * torch.sigmoid(model.gate(x))))
