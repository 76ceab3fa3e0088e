"""Step: two values, a jump at zero, no slope."""

import math

import pytest
import torch

from kazami.nets.catalogue.entries import activation


def test_has_two_values_and_fires_at_zero():
    x = torch.tensor([-1.0, -0.0, 0.0, 1e-300, 2.0], dtype=torch.float64)
    assert activation("step").function(x).tolist() == [0, 1, 1, 1, 1]


def test_its_slope_is_zero_on_both_sides_of_the_jump():
    step = activation("heaviside")
    assert [str(zone) for zone in step.dead_zones] == ["(−∞, 0)", "(0, ∞)"]
    assert (step.derivative_max, step.derivative_min, step.lipschitz, step.jumps) == (0, 0, math.inf, (0.0,))
    assert str(step.range) == "[0, 1]"


def test_half_of_the_power_passes_and_no_gradient():
    step = activation("step")
    assert step.gain == pytest.approx(math.sqrt(2), rel=1e-14)
    assert step.gradient_loss().decades == math.inf


def test_one_bit_is_left_of_the_input():
    lost = activation("step").information_loss(bits=8)
    assert lost.states_after == 2
    assert lost.before - lost.lost == pytest.approx(1, abs=1e-5)  # the state at 0 belongs to one side
