"""Branches for the layers of equal ends, scaled by their number."""

from dataclasses import replace

import pytest
import torch

from kazami.cures.residual import Residual
from tests.cures.cases import finding, mlp, prescribed, trace
from tests.cures.examples import (
    carried_example,
)
from tests.cures.trainings import LAYERS, STYLES, plain, rows


def test_the_layers_of_equal_width_get_a_way_around_them():
    given = prescribed(Residual(), finding("vanishing_gradient", 9.0, "over depth", place="0"), trace(layers=mlp("sigmoid", 12)))
    assert len(given.parameters["layers"]) == 10
    assert given.parameters["scale"] == pytest.approx(10**-0.5, rel=0.02)
    assert "torch.sigmoid(model[2](x))" in given.code


def test_networks_that_have_branches_or_one_square_layer_are_left_alone():
    found = finding("vanishing_gradient", 9.0, "over depth", place="0")
    assert Residual().prescribe(found, trace(layers=mlp("sigmoid", 3))) is None
    assert Residual().prescribe(found, trace(layers=tuple(replace(layer, is_residual=True) for layer in mlp("relu", 9)))) is None


@pytest.mark.parametrize("style", STYLES)
def test_there_is_a_way_past_the_layer_and_its_activation(style):
    model = carried_example(Residual(), style).start().model
    a, b, c = (model.get_submodule(name) for name in LAYERS[style])
    x = rows(1)[0][0]
    h = torch.sigmoid(a(x))
    torch.testing.assert_close(model(x), c(h + 0.7 * torch.sigmoid(b(h))))


def test_layers_of_unequal_ends_have_none():
    assert Residual().apply(plain("functions"), {"layers": ["a"], "scale": 0.7, "width": 6}) is None
