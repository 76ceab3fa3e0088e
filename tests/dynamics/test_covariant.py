"""Covariant vectors are carried into one another, and stretched by the exponents."""

import numpy as np
import pytest

from kazami.dynamics import covariant_vectors, lyapunov_spectrum
from kazami.errors import UsageError
from kazami.maps import CubicDescent, FoldedTowel, Henon, Linear


@pytest.mark.parametrize("m", [Henon(), FoldedTowel()], ids=lambda m: type(m).__name__)
def test_the_step_carries_each_vector_into_its_successor(m):
    m.step(500)
    found = covariant_vectors(m, steps=300, transient=200)
    carried = np.einsum("tij,tjk->tik", m.jacobians(found.states[:-1]), found.vectors[:-1])
    stretched = np.linalg.norm(carried, axis=1)
    alignment = np.abs(np.einsum("tik,tik->tk", carried / stretched[:, None], found.vectors[1:]))
    assert alignment == pytest.approx(np.ones_like(alignment), abs=1e-6)
    assert np.log(stretched) == pytest.approx(found.local[:-1], abs=1e-6)


def test_their_growth_is_the_spectrum():
    m = Henon()
    found = covariant_vectors(m, steps=3000, transient=300)
    spectrum = lyapunov_spectrum(m, steps=3000, transient=300)
    assert found.value == pytest.approx(spectrum.value, abs=5e-3)
    assert 0.0 <= found.angles().min() < 0.05 < found.angles().max() <= np.pi / 2


def test_are_the_eigenvectors_of_a_linear_map():
    found = covariant_vectors(Linear(p1=0.5, p2=0.25, shear=1.0), steps=10, transient=60)
    assert np.abs(found.vectors[:, :, 0]) == pytest.approx(np.tile([1.0, 0.0], (10, 1)), abs=1e-9)
    assert np.abs(found.vectors[:, :, 1]) == pytest.approx(np.tile([4.0, 1.0] / np.sqrt(17), (10, 1)), abs=1e-9)


def test_an_escaping_orbit_is_refused():
    with pytest.raises(ValueError, match="bounded orbit"):
        covariant_vectors(CubicDescent(a=2.3, state=(1.9,)), steps=100)
    with pytest.raises(UsageError, match="steps"):
        covariant_vectors(Henon(), steps=0)
