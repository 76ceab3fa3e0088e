"""Properties of functions that no catalogue knows, against what calculus says about them."""

import math

import pytest
import torch

from kazami.nets import describe


def test_sine_turns_endlessly_between_minus_one_and_one():
    sine = describe(torch.sin)
    assert str(sine.range) == "[−1, 1]"
    assert (sine.parity, sine.monotone, sine.is_smooth, sine.dead_zones) == ("odd", "no", True, ())
    assert sine.second_moment == pytest.approx((1 - math.exp(-2)) / 2, rel=1e-13)
    assert 0.0 in sine.derivative_maximum.at
    assert [piece.low for piece in sine.fixed_points] == [0.0]


def test_bell_curve():
    bell = describe(lambda x: torch.exp(-x * x))
    assert str(bell.range) == "(0, 1]"
    assert (bell.parity, bell.profile.supremum.at) == ("even", (0.0,))
    assert bell.derivative_max == pytest.approx(math.sqrt(2 / math.e), rel=1e-14)
    assert bell.derivative_maximum.at == (pytest.approx(-1 / math.sqrt(2), rel=1e-12),)
    assert bell.mean == pytest.approx(1 / math.sqrt(3), rel=1e-13)


def test_absolute_value():
    size = describe(torch.abs)
    assert (str(size.range), size.kinks, size.monotone, size.parity) == ("[0, ∞)", (0.0,), "no", "even")
    assert (size.derivative_max, size.derivative_min, size.lipschitz) == (1, -1, 1)


def test_square_root_has_no_largest_slope_at_zero():
    root = describe(lambda x: x.sign() * x.abs().sqrt())
    assert (root.derivative_max, root.derivative_maximum.at) == (math.inf, (0.0, 0.0)) or root.derivative_maximum.at == (0.0,)
    assert str(root.range) == "(−∞, ∞)"


def test_cubes_slope_has_no_bound_and_a_point_of_rest_that_is_no_dead_zone():
    cube = describe(lambda x: x**3)
    assert (cube.lipschitz, cube.derivative_min, cube.dead_zones, cube.saturation) == (math.inf, 0, (), ())
    assert cube.monotone == "strictly increasing"
    assert [piece.low for piece in cube.fixed_points] == pytest.approx([-1, 0, 1])


def test_smooth_step_is_dead_outside_although_it_gets_there_smoothly():
    """3t² − 2t³ between 0 and 1: its slope leaves zero as a power, which must not be taken for the fading of tanh."""
    step = describe(lambda x: (lambda t: 3 * t * t - 2 * t**3)(x.clamp(0, 1)))
    assert [str(zone) for zone in step.dead_zones] == ["(−∞, 0)", "(1, ∞)"]
    assert (step.derivative_max, step.derivative_maximum.at, str(step.range), step.smoothness) == (pytest.approx(1.5), (pytest.approx(0.5),), "[0, 1]", 1)


@pytest.mark.parametrize("steepness", [0.1, 1.0, 100.0])
def test_fading_is_never_taken_for_a_dead_zone_however_steep(steepness):
    """tanh(20) is 1 in float64 and its slope 0, but only by rounding."""
    for function in (lambda x: torch.tanh(steepness * x), lambda x: torch.sigmoid(steepness * x), lambda x: torch.erf(steepness * x)):
        found = describe(function)
        assert found.dead_zones == ()
        assert found.monotone == "strictly increasing"
        assert not found.range.is_low_closed
        assert not found.range.is_high_closed


def test_rounding_to_whole_numbers():
    rounding = describe(torch.round)
    assert rounding.lipschitz == math.inf
    assert {-1.5, -0.5, 0.5, 1.5} <= set(rounding.jumps)
    assert rounding.derivative_max == 0
    assert "(−0.5, 0.5)" in [str(zone) for zone in rounding.dead_zones]


def test_kinks_are_found_where_they_are():
    bent = describe(lambda x: torch.where(x < 1.3, 0.5 * x, 2 * x - 1.95))
    assert bent.kinks == (1.3,)
    assert (bent.derivative_max, bent.derivative_min) == (2, 0.5)


def test_a_wrong_value_of_autograd_at_one_point_makes_no_kink():
    """x → sign(x) log(1 + |x|) is differentiable at 0, where autograd says 0 instead of 1."""
    soft = describe(lambda x: x.sign() * torch.log1p(x.abs()))
    assert (soft.kinks, soft.smoothness) == ((), 1)
    assert (soft.derivative_max, soft.derivative_maximum.at) == (1, (0.0,))
    assert str(soft.range) == "(−∞, ∞)"


def test_scaling_scales():
    assert describe(lambda x: 0.3 * x + 0.1).gain == pytest.approx(1 / math.sqrt(0.09 + 0.01), rel=1e-13)
    (only,) = describe(lambda x: 0.3 * x + 0.1).fixed_points
    assert only.low == pytest.approx(1 / 7, rel=1e-12)


def test_overflow_far_out_is_no_property_of_the_function():
    """log(1 + eˣ) written naively overflows from 710 on, and x/sqrt(1 + x²) is rounded to 1 from 1e8 on."""
    naive = describe(lambda x: torch.log(1 + torch.exp(x)))
    assert (str(naive.range), naive.is_smooth, naive.derivative_maximum.is_attained) == ("(0, ∞)", True, False)
    root = describe(lambda x: x / torch.sqrt(1 + x * x))
    assert (str(root.range), root.derivative_max) == ("(−1, 1)", 1)
    plus = describe(lambda x: (x + torch.sqrt(x * x + 4)) / 2)
    assert str(plus.range) == "(0, ∞)"


def test_a_wrong_backward_pass_changes_no_property():
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x.clamp(0, 6)

        @staticmethod
        def backward(context, gradient):
            (x,) = context.saved_tensors
            return 0.9 * gradient * (x > 0)

    found = describe(Wrong.apply)
    assert not found.is_backward_right
    assert found.derivative_max == pytest.approx(1, abs=1e-7)
    assert [str(zone) for zone in found.dead_zones] == ["(−∞, 0)", "(6, ∞)"]
    assert found.kinks == pytest.approx((0, 6), abs=1e-8)
    assert found.gain == pytest.approx(math.sqrt(2), rel=1e-6)
