"""The factor undoes the measured slope; applied to a linear network it takes the slope away."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from kazami.cures.rescale_init import RescaleInit
from tests.cures.cases import finding, mlp, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out


@pytest.mark.parametrize(("name", "decades", "depth"), [("vanishing_gradient", 9.0, 12), ("exploding_gradient", 6.0, 4)])
def test_the_factor_to_the_power_of_the_depth_is_the_attenuation(name, decades, depth):
    given = prescribed(RescaleInit(), finding(name, decades, "change of the gradient over depth"), trace(layers=mlp("sigmoid", depth)))
    sign = 1 if name == "vanishing_gradient" else -1
    assert math.log10(given.parameters["factor"]) * (depth - 1) == pytest.approx(sign * decades, rel=0.05)


def test_it_flattens_a_linear_network():
    torch.manual_seed(0)
    model = nn.Sequential(*[nn.Linear(8 if i == 0 else 64, 64 if i < 9 else 4, bias=False) for i in range(10)])
    for layer in model:
        nn.init.normal_(layer.weight, std=0.2 * layer.in_features**-0.5)

    def fade():
        x = [torch.randn(32, 8)]
        for layer in model:
            x.append(layer(x[-1]))
            x[-1].retain_grad()
        x[-1].square().sum().backward()
        return math.log10(x[-2].grad.norm() / x[1].grad.norm())

    before = fade()
    layers = [replace(layer, name=str(i)) for i, layer in enumerate(mlp("identity", 10, 64))]
    code = prescribed(RescaleInit(), finding("vanishing_gradient", before * 9 / 8, "over depth"), trace(layers=layers)).code
    exec(code, {"model": model, "nn": nn})
    assert before > 4
    assert abs(fade()) < 1


def test_a_change_over_time_is_not_one_over_depth():
    assert RescaleInit().prescribe(finding("vanishing_gradient", 9.0, "attenuation of the gradient over time"), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_these_weights_and_no_others_are_multiplied(style):
    before, parameters = EXAMPLES["rescale_init"](style)
    one, other = before.start().model, carried_out(RescaleInit(), before, **parameters).start().model
    for name, weight in one.named_parameters():
        scaled = name.removesuffix(".weight") in parameters["layers"]
        assert torch.equal(other.get_parameter(name), weight * parameters["factor"] if scaled else weight)
