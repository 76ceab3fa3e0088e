"""The branches add up to unit variance."""

from dataclasses import replace

import pytest
import torch

from kazami.cures.residual_scale import ResidualScale
from tests.cures.cases import finding, mlp, prescribed, trace
from tests.cures.examples import (
    EXAMPLES,
)
from tests.cures.trainings import STYLES, carried_out


def test_the_branches_add_up_to_unit_variance():
    layers = tuple(replace(layer, is_residual=not layer.is_output) for layer in mlp("relu", 17))
    given = prescribed(ResidualScale(), finding("exploding_gradient", 5.0, "over depth", wind=2.0), trace(layers=layers))
    assert 16 * given.parameters["factor"] ** 2 == pytest.approx(1, rel=0.05)
    assert len(given.code.splitlines()) == 16


def test_plain_networks_have_no_branches():
    assert ResidualScale().prescribe(finding("exploding_gradient"), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_these_weights_and_no_others_are_multiplied(style):
    before, parameters = EXAMPLES["residual_scale"](style)
    one, other = before.start().model, carried_out(ResidualScale(), before, **parameters).start().model
    for name, weight in one.named_parameters():
        scaled = name.removesuffix(".weight") in parameters["layers"]
        assert torch.equal(other.get_parameter(name), weight * parameters["factor"] if scaled else weight)
