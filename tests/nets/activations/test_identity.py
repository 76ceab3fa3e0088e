"""Identity: nothing is lost, exactly."""

import pytest
import torch

from kazami.nets.catalogue.entries import activation


def test_loses_nothing_at_any_depth_exactly():
    identity = activation("linear")
    for depth in (1, 10, 50):
        assert identity.information_loss(depth=depth).lost == 0
        assert identity.gradient_loss(depth=depth).decades == 0


def test_like_a_mirror():
    x = torch.tensor(3.0)
    assert activation("identity").module()(x).item() == 3
    assert isinstance(activation("identity").module(), torch.nn.Identity)


def test_slope_one_everywhere_and_every_number_a_fixed_point():
    identity = activation("identity")
    assert [str(piece) for piece in identity.fixed_points] == ["(−∞, ∞)"]
    assert (identity.derivative_max, identity.derivative_min, identity.saturation, identity.dead_zones) == (1, 1, (), ())
    assert str(identity.range) == "(−∞, ∞)"
    assert identity.gain == pytest.approx(1, rel=1e-14)
