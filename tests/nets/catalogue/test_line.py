"""The real line: breaks, limits, and derivatives where autograd gives none."""

import math

import numpy as np
import pytest
import torch

from kazami.nets.catalogue.line import RealLine


@pytest.mark.parametrize(
    ("function", "side", "expected"),
    [
        (torch.tanh, 1, 1.0),
        (torch.tanh, -1, -1.0),
        (lambda x: x / (1 + x.abs()), 1, 1.0),
        (lambda x: x.sign() * torch.log1p(x.abs()), 1, math.inf),
        (torch.exp, -1, 0.0),
        (torch.exp, 1, math.inf),
        (lambda x: -(x**2), 1, -math.inf),
        (torch.sin, 1, math.nan),
        (lambda x: 1 / (1 + x * x), -1, 0.0),
    ],
)
def test_limits(function, side, expected):
    assert RealLine(function).limit(0, side) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_breaks_of_every_order_are_placed_to_the_last_digits(order):
    """The positive part of (x − c) to a power: its derivative of that order jumps at c."""
    place = 0.7321
    found = RealLine(lambda x: torch.where(x > place, (x - place).abs() ** order, torch.zeros_like(x)) if order else (x > place).to(x.dtype)).breaks
    assert [(one.at, one.order) for one in found] == [(pytest.approx(place, abs=1e-12), order)]


def test_smooth_functions_have_no_breaks_however_steep():
    assert RealLine(lambda x: torch.sigmoid(300 * x)).breaks == ()
    assert RealLine(lambda x: torch.sin(5 * x)).breaks == ()


def test_difference_quotients_stand_in_where_no_gradient_flows():
    line = RealLine(lambda x: torch.as_tensor(np.tanh(x.detach().numpy())))
    assert not line.is_backward_right
    x = np.linspace(-3, 3, 41)
    np.testing.assert_allclose(line.derivative(x), 1 - np.tanh(x) ** 2, atol=1e-10)


def test_a_wrong_backward_pass_is_noticed_and_not_believed():
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            return x.tanh()

        @staticmethod
        def backward(context, gradient):
            return 0.9 * gradient

    line = RealLine(Wrong.apply)
    assert not line.is_backward_right
    assert line.derivative([0.5]).item() == pytest.approx(1 - math.tanh(0.5) ** 2, abs=1e-9)


def test_nan_of_autograd_is_filled_in():
    """torch.where with an overflowing branch gives NaN gradients far out."""
    line = RealLine(lambda x: torch.where(x > 0, x, torch.exp(x) - 1))
    assert line.derivative([800.0]).item() == pytest.approx(1, abs=1e-9)


def test_flat_by_rounding_is_not_flat():
    for function, is_flat in ((torch.tanh, False), (lambda x: x.clamp(-1, 1), True)):
        line = RealLine(function)
        assert bool(line.flat_intervals(line.derivative)) is is_flat
