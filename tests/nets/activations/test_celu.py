"""CELU: differentiable once for every α."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_slope_is_continuous_and_at_most_one_for_every_alpha(alpha):
    celu = activation("celu", alpha=alpha)
    assert celu.smoothness == 1
    assert celu.derivative_max == pytest.approx(1, abs=1e-14)
    assert celu.range.low == pytest.approx(-alpha, rel=1e-14)
    assert not celu.range.is_low_closed


def test_saturates_alpha_times_later_than_elu():
    (zone,) = activation("celu", alpha=3.0).saturation
    assert zone.high == pytest.approx(3 * math.log(0.01), rel=1e-12)
