"""Hutch++ against spectra whose trace is known, and its error bar against the true error over many seeds."""

import numpy as np
import pytest
import torch

from kazami.curvature import trace

from .models import drawing, with_eigenvalues

DRAW = np.random.default_rng(1)


@pytest.mark.parametrize("values", [DRAW.normal(size=300), 10.0 ** -DRAW.uniform(0, 4, size=300), np.r_[np.zeros(280), DRAW.exponential(size=20) * 50]])
def test_the_error_bar_is_the_true_error(values):
    operator = with_eigenvalues(values)
    found = [trace(operator, products=60, generator=drawing(seed)) for seed in range(80)]
    errors = np.array([one.value - values.sum() for one in found])
    claimed = np.array([one.uncertainty for one in found])
    rounding = 1e-12 * np.abs(values).sum()
    assert np.mean(np.abs(errors) <= 2.0 * claimed + rounding) >= 0.85  # t with 19 degrees of freedom: 0.94, less three standard deviations of 80 draws
    assert np.sqrt(np.mean(errors**2)) <= 1.3 * np.sqrt(np.mean(claimed**2)) + rounding
    assert abs(errors.mean()) <= 4.0 * np.sqrt(np.mean(claimed**2) / len(found)) + rounding  # unbiased


def test_a_low_rank_is_found_exactly_and_products_are_counted():
    operator = with_eigenvalues(np.r_[np.zeros(290), np.arange(1.0, 11.0)])
    found = trace(operator, products=60, generator=drawing())
    assert found.value == pytest.approx(55.0, abs=1e-9)
    assert found.uncertainty < 1e-9
    assert found.steps == operator.n_products <= 60


def test_a_small_matrix_is_taken_whole():
    operator = with_eigenvalues([1.0, -4.0, 7.5])
    found = trace(operator, generator=drawing())
    assert found.value == pytest.approx(4.5)
    assert (found.uncertainty, operator.n_products) == (0.0, 3)
    assert torch.get_default_dtype() == torch.float32
