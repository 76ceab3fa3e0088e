"""The Ikeda map."""

import cmath

import numpy as np
import pytest

from kazami.maps.toys.ikeda import Ikeda
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(Ikeda())


def test_is_the_complex_formula():
    z = complex(0.3, -0.7)
    image = 1 + 0.9 * z * cmath.exp(1j * (0.4 - 6 / (1 + abs(z) ** 2)))
    m = Ikeda(state=(z.real, z.imag))
    assert m.advance(m.current_state(), 0).tolist() == pytest.approx([image.real, image.imag], abs=1e-15)


def test_shrinks_areas_by_the_square_of_u():
    assert np.linalg.det(Ikeda().jacobians(np.random.default_rng(0).normal(size=(20, 2)))) == pytest.approx(np.full(20, 0.81), abs=1e-13)
