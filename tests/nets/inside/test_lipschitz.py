"""The steepest slope found is a lower bound, and at least the slope at the point."""

import torch

from kazami.nets.inside.input_output_map import input_output_map
from kazami.nets.inside.jacobian import JacobianProducts, singular_triplets
from kazami.nets.inside.lipschitz import local_lipschitz
from tests.nets.models import Written, normal


def test_a_line_has_its_slope_and_a_parabola_that_of_the_edge():
    for function, truth in ((lambda _, x: 3 * x, 3.0), (lambda _, x: x**2, 2 * 1.5)):
        seen = input_output_map(Written(function), torch.ones(1, 1, dtype=torch.float64))
        products = JacobianProducts(seen)
        found = local_lipschitz(products, 0.5, triplets=singular_triplets(products, seen.rows))
        assert torch.allclose(found, torch.tensor([truth], dtype=torch.float64))


def test_never_above_a_known_constant():
    seen = input_output_map(Written(lambda _, x: torch.sin(x)), normal(5, 4))
    products = JacobianProducts(seen)
    triplets = singular_triplets(products, seen.rows)
    found = local_lipschitz(products, 2.0, triplets=triplets)
    assert bool((found <= 1.0 + 1e-12).all())
    assert bool((found >= triplets.values[:, 0]).all())
