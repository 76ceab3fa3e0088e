"""Branches for the layers of equal ends, scaled by their number."""

from dataclasses import replace

import pytest

from kazami.cures.residual import Residual
from tests.cures.cases import finding, mlp, prescribed, trace


def test_the_layers_of_equal_width_get_a_way_around_them():
    given = prescribed(Residual(), finding("vanishing_gradient", 9.0, "over depth", place="0"), trace(layers=mlp("sigmoid", 12)))
    assert len(given.parameters["layers"]) == 10
    assert given.parameters["scale"] == pytest.approx(10**-0.5, rel=0.02)
    assert "torch.sigmoid(model[2](x))" in given.code


def test_networks_that_have_branches_or_one_square_layer_are_left_alone():
    found = finding("vanishing_gradient", 9.0, "over depth", place="0")
    assert Residual().prescribe(found, trace(layers=mlp("sigmoid", 3))) is None
    assert Residual().prescribe(found, trace(layers=tuple(replace(layer, is_residual=True) for layer in mlp("relu", 9)))) is None
