"""The smallest edge of stability."""

import numpy as np
import pytest

from kazami.maps.toys.product_descent import ProductDescent
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(ProductDescent())


def test_the_sharpness_on_the_minimum():
    """At x y = 1 the Hessian has rank one; its eigenvalue is 2 (x^2 + y^2), and the step is 1 minus the rate times the Hessian."""
    x = 1.7
    matrix = ProductDescent(learning_rate=0.1).jacobians(np.array([[x, 1 / x]]))[0]
    assert np.sort(np.linalg.eigvalsh(matrix)) == pytest.approx([1 - 0.1 * 2 * (x**2 + x**-2), 1.0], abs=1e-13)


def test_converges_just_below_the_edge():
    m = ProductDescent()
    sharpness = 2 * float((m.orbit(m.current_state(), 20_000)[-1] ** 2).sum())
    assert 0.99 < sharpness * 0.1 / 2 < 1.0
