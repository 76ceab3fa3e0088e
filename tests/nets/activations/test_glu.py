"""GLU: values times gates."""

import math

import pytest
import torch

from kazami.nets.catalogue.entries import activation


def test_is_the_first_half_times_the_gate_of_the_second():
    x = torch.randn(5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    value, gate = x[:, :4], x[:, 4:]
    torch.testing.assert_close(activation("glu").module()(x), value * torch.sigmoid(gate), rtol=1e-15, atol=0)


def test_power_is_that_of_its_gate_since_value_and_gate_are_independent():
    assert activation("glu").second_moment == pytest.approx(activation("sigmoid").second_moment, rel=1e-13)
    assert activation("glu").mean == pytest.approx(0, abs=1e-14)


def test_has_no_largest_slope():
    one = activation("glu")
    assert (one.kind, one.lipschitz, str(one.range)) == ("gate", math.inf, "(−∞, ∞)")


def test_module_is_torchs_own():
    assert isinstance(activation("glu").module(), torch.nn.GLU)
