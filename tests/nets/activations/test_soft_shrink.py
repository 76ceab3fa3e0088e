"""Softshrink: dead around zero."""

import math

import pytest

from kazami.nets.catalogue.entries import activation


@pytest.mark.parametrize("bound", [0.5, 0.1])
def test_is_dead_between_its_thresholds(bound):
    (zone,) = activation("soft_shrink", lambd=bound).dead_zones
    assert tuple(zone) == (-bound, bound)


def test_gradient_that_passes_is_the_mass_outside():
    shrink = activation("softshrink")
    assert shrink.slope_second_moment == pytest.approx(math.erfc(0.5 / math.sqrt(2)), rel=1e-13)
    assert (shrink.parity, shrink.kinks, str(shrink.range)) == ("odd", (-0.5, 0.5), "(−∞, ∞)")
