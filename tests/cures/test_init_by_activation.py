"""Signals keep their size afterwards; born-dead units get a zero bias; a trouble that came later is left alone."""

import pytest
import torch
from torch import nn

from kazami.cures.init_by_activation import InitByActivation
from tests.cures.cases import finding, mlp, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import LAYERS, STYLES, carried_out


def test_a_deep_network_keeps_its_signal_afterwards():
    torch.manual_seed(0)
    model = nn.Sequential(*[m for i in range(9) for m in (nn.Linear(8 if i == 0 else 256, 256), nn.ReLU())], nn.Linear(256, 4))
    with torch.no_grad():
        for layer in model[::2]:
            layer.weight.mul_(20)
        exec(
            prescribed(
                InitByActivation(), finding("bad_init_scale", 20.0, "gain of the initial weights over the ideal"), trace(layers=mlp("relu", 10, 256))
            ).code,
            {"model": model, "nn": nn},
        )
        x = torch.randn(64, 8)
        assert 0.2 < model[:-1](x).square().mean().sqrt() / x.square().mean().sqrt() < 5


def test_units_born_dead_get_a_bias_of_zero():
    assert "nn.init.zeros_(model[0].bias)" in prescribed(InitByActivation(), finding("dead_units", place="0", rank=23), trace()).code


def test_units_that_died_later_are_left_alone():
    assert InitByActivation().prescribe(finding("dead_units", place="0", step=9), trace()) is None


def test_the_gain_is_that_of_the_activation():
    code = prescribed(InitByActivation(), finding("saturated", place="0", rank=34), trace(layers=mlp("tanh"))).code
    assert 'calculate_gain("tanh")' in code


@pytest.mark.parametrize("style", STYLES)
def test_weights_are_drawn_anew_and_these_biases_are_zero(style):
    before, parameters = EXAMPLES["init_by_activation"](style)
    one, other = before.start().model, carried_out(InitByActivation(), before, **parameters).start().model
    a, b, c = LAYERS[style]
    assert other.get_submodule(a).bias.tolist() == [0.0] * 6
    assert not torch.equal(one.get_submodule(b).weight, other.get_submodule(b).weight)
    assert torch.equal(one.get_submodule(c).weight, other.get_submodule(c).weight)
    assert torch.equal(one.get_submodule(b).bias, other.get_submodule(b).bias)
