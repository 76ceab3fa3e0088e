"""Units differ afterwards; the draw goes by the activation."""

import pytest
import torch
from torch import nn

from kazami.cures.random_init import RandomInit
from tests.cures.cases import finding, mlp, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, network


def test_no_two_units_are_equal_afterwards():
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        exec(prescribed(RandomInit(), finding("symmetric_units", place="0"), trace()).code, {"model": model, "nn": nn})
    assert torch.unique(model[0].weight, dim=0).shape[0] == 32


@pytest.mark.parametrize(
    ("activation", "call"), [("relu", "kaiming_normal_"), ("tanh", "xavier_uniform_"), ("sigmoid", "xavier_uniform_"), ("gelu", "kaiming_normal_")]
)
def test_the_draw_fits_the_activation(activation, call):
    assert call in prescribed(RandomInit(), finding("symmetric_units", place="0"), trace(layers=mlp(activation))).code


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("call", ["xavier_uniform_", "kaiming_normal_", "orthogonal_"])
def test_units_differ_afterwards(style, call):
    before, parameters = EXAMPLES["random_init"](style)

    def alike():
        model = network(style)
        for p in model.parameters():
            nn.init.constant_(p, 0.1)
        return model

    model = carried_out(RandomInit(), before.replaced(model=alike), **{**parameters, "init": call}).start().model
    for name in parameters["layers"]:
        weight = model.get_submodule(name).weight
        assert len({tuple(row) for row in weight.tolist()}) == len(weight)
