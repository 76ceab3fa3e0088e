"""Shares add up, and are those of closed forms."""

import pytest
import torch

from kazami.nets.inside.input_output_map import input_output_map
from kazami.nets.inside.shares import shares
from tests.nets.models import Written, normal

CONTEXT = torch.zeros(1, dtype=torch.long)


def found(forward, x, baseline=None, **options):
    function = input_output_map(Written(forward), x)
    origin = torch.zeros_like(function.rows) if baseline is None else baseline
    return shares(function, function.rows, origin, 0, CONTEXT, **options)


def test_a_line_leaves_no_gap():
    w = torch.tensor([2.0, -3.0, 0.5], dtype=torch.float64)
    x = normal(1, 3)
    made = found(lambda _, x: (x * w).sum(1), x)
    assert torch.allclose(made.gradient, x[0] * w)
    assert torch.allclose(made.integrated, x[0] * w)
    assert made.gradient_gap == pytest.approx(0.0, abs=1e-14)


def test_a_square_by_its_closed_form():
    # f = x₁² x₂ from 0: along the path t the integrals are ∫ 2 t² x₁² x₂ dt = 2/3 x₁² x₂ and 1/3 x₁² x₂
    x = torch.tensor([[2.0, 3.0]], dtype=torch.float64)
    made = found(lambda _, x: x[:, 0] ** 2 * x[:, 1], x, tolerance=1e-7)
    assert made.integrated.tolist() == pytest.approx([8.0, 4.0], rel=1e-6)
    assert made.gradient.tolist() == pytest.approx([24.0, 12.0])
    assert made.gradient_gap == pytest.approx(12.0 - 36.0)
    assert abs(made.integrated_gap) <= 1e-7 * 12


def test_a_kink_on_the_path_is_integrated_to_tolerance():
    made = found(lambda _, x: torch.relu(x - 0.37).sum(1), torch.ones(1, 2, dtype=torch.float64))
    assert abs(made.integrated_gap) <= 1e-3 * made.difference
    assert made.gradient_gap == pytest.approx(2 * 0.63 - 2.0)
