"""The test of affinity by itself: its tolerance, its sizes, each input alone."""

import torch

from kazami.nets.inside.affinity import affinity
from kazami.nets.inside.input_output_map import input_output_map
from tests.nets.models import Written, normal


def test_the_violation_of_a_square_is_as_computed():
    found = affinity(input_output_map(Written(lambda _, x: x**2), normal(4, 1)))
    assert not found.is_affine
    assert 0.1 < found.residual < 3.0


def test_the_tolerance_decides():
    function = input_output_map(Written(lambda _, x: x + 1e-6 * torch.sin(x)), normal(4, 2))
    assert not affinity(function).is_affine
    assert affinity(function, tolerance=1e-4).is_affine


def test_single_precision_rounding_is_no_curvature():
    weight = normal(50, 50, dtype=torch.float32)
    function = input_output_map(Written(lambda _, x: x.float() @ weight @ weight @ weight), normal(3, 50, dtype=torch.float32), double=False)
    found = affinity(function)
    assert found.is_affine
    assert found.residual > 1e-9


def test_each_input_alone():
    function = input_output_map(Written(lambda _, a, b: a * b + a + b**2), (normal(3, 2), normal(3, 2, seed=1)))
    assert affinity(function).affine_in == {"0": True, "1": False}
