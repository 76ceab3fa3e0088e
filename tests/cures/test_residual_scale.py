"""The branches add up to unit variance."""

from dataclasses import replace

import pytest

from kazami.cures.residual_scale import ResidualScale
from tests.cures.cases import finding, mlp, prescribed, trace


def test_the_branches_add_up_to_unit_variance():
    layers = tuple(replace(layer, is_residual=not layer.is_output) for layer in mlp("relu", 17))
    given = prescribed(ResidualScale(), finding("exploding_gradient", 5.0, "over depth", wind=2.0), trace(layers=layers))
    assert 16 * given.parameters["factor"] ** 2 == pytest.approx(1, rel=0.05)
    assert len(given.code.splitlines()) == 16


def test_plain_networks_have_no_branches():
    assert ResidualScale().prescribe(finding("exploding_gradient"), trace()) is None
