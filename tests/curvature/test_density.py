"""The spectral density against spectra that are known, and its error bars against the true errors."""

import numpy as np
import pytest
import torch

from kazami.curvature import spectral_density
from kazami.errors import UsageError

from .models import Dense, drawing, with_eigenvalues

VALUES = np.r_[0.05 * np.random.default_rng(2).normal(size=380), np.linspace(2.0, 3.0, 20)]


def test_counts_and_moments_are_within_their_errors():
    operator = with_eigenvalues(VALUES)
    inside = 0
    for seed in range(30):
        found = spectral_density(operator, probes=6, steps=40, generator=drawing(seed))
        assert not found.is_whole
        count, error = found.count(1.0, 4.0)
        first, first_error = found.moment(1)
        inside += int(abs(count - 20.0) <= 2.5 * error) + int(abs(first - VALUES.sum()) <= 2.5 * first_error)
    assert inside >= 53  # of 60; a t with 5 degrees of freedom lies within 2.5 in 95 %


def test_ends_are_sharp_and_the_integral_is_one():
    found = spectral_density(with_eigenvalues(VALUES), probes=4, steps=60, generator=drawing())
    assert found.ends == pytest.approx((VALUES.min(), VALUES.max()), abs=1e-3)
    places = np.linspace(-1.0, 4.0, 4001)
    heights, errors = found.heights(places)
    assert np.trapezoid(heights, places) == pytest.approx(1.0, abs=1e-6)
    assert (errors >= 0.0).all()
    assert errors.max() > 0.0


def test_the_smoothed_density_is_that_of_the_eigenvalues():
    places = np.linspace(-0.5, 3.5, 200)
    exact = np.exp(-(((places[:, None] - VALUES) / 0.1) ** 2) / 2).sum(1) / (0.1 * np.sqrt(2 * np.pi) * len(VALUES))
    heights, errors = spectral_density(with_eigenvalues(VALUES), probes=8, steps=48, generator=drawing()).heights(places, 0.1)
    assert (np.abs(heights - exact) <= 5.0 * errors + 0.02 * exact.max()).all()


def test_a_small_matrix_is_taken_whole():
    found = spectral_density(with_eigenvalues([0.0, 0.0, 1.0, 5.0]), generator=drawing())
    assert found.is_whole
    assert found.n_products == 4
    assert found.count(-1e-9, 1e-9) == (2.0, 0.0)
    assert found.moment(2)[0] == pytest.approx(26.0)
    assert found.to_dict()["n"] == 4


def test_an_exhausted_space_ends_early():
    found = spectral_density(Dense(2.0 * torch.eye(100, dtype=torch.float64)), probes=2, steps=20, generator=drawing())
    assert [len(nodes) for nodes in found.nodes] == [1, 1]
    assert found.count(1.9, 2.1) == (pytest.approx(100.0), pytest.approx(0.0))


def test_one_probe_has_no_error_and_is_refused():
    with pytest.raises(UsageError, match="two probes"):
        spectral_density(Dense(torch.eye(100)), probes=1, generator=drawing())
