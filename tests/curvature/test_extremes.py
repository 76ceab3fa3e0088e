"""Extreme eigenvalues against spectra that are known: degenerate, clustered, indefinite, restarted, exhausted."""

import numpy as np
import pytest
import torch

from kazami.curvature import extreme_eigenvalues
from kazami.errors import UsageError

from .models import Dense, drawing, with_eigenvalues

DRAW = np.random.default_rng(0)
FAMILIES = {
    "normal": DRAW.normal(size=200),
    "heavy": DRAW.exponential(size=200) ** 3,
    "outliers": np.r_[0.01 * DRAW.normal(size=196), 9.0, 5.0, 4.0, -3.0],
    "threefold": np.r_[np.repeat([3.0, 2.0, -2.5], 3), 0.1 * DRAW.normal(size=150)],
    "decades": 10.0 ** -DRAW.uniform(0, 8, size=120),
    "rank two": np.r_[np.zeros(90), 2.0, 1.0],
}
KEYS = {"largest": lambda values: -values, "smallest": lambda values: values, "magnitude": lambda values: -np.abs(values)}


@pytest.mark.parametrize("which", KEYS)
@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("rows", [None, 44])
@pytest.mark.parametrize("family", FAMILIES)
def test_true_errors_are_within_the_bounds_and_the_tolerance(family, k, which, rows):
    values = FAMILIES[family]
    expected = values[np.argsort(KEYS[which](values))][:k]
    found = extreme_eigenvalues(with_eigenvalues(values), k, which=which, generator=drawing(), tolerance=1e-3, max_rows=rows)
    errors = np.abs(np.abs(found.values.numpy()) - np.abs(expected)) if which == "magnitude" else np.abs(found.values.numpy() - expected)
    assert (errors <= found.errors.numpy() + 1e-14).all()
    if found.converged:
        assert (errors <= 1e-3 * np.maximum(np.abs(expected), 1e-3 * np.abs(values).max())).all()


def test_a_degenerate_eigenvalue_is_found_as_often_as_it_is_there():
    found = extreme_eigenvalues(with_eigenvalues([4.0, 4.0, 4.0, 3.0, *[0.0] * 60]), 4, generator=drawing())
    assert found.values.tolist() == pytest.approx([4.0, 4.0, 4.0, 3.0], abs=1e-12)
    assert found.converged


def test_vectors_are_unit_eigenvectors():
    operator = with_eigenvalues(FAMILIES["outliers"])
    found = extreme_eigenvalues(operator, 3, generator=drawing(), tolerance=1e-8)
    torch.testing.assert_close(found.vectors @ found.vectors.T, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(found.vectors @ operator.matrix, found.values[:, None] * found.vectors, atol=2e-3, rtol=0)


def test_a_cluster_at_the_edge_of_the_bulk_is_not_taken_for_one_eigenvalue():
    """Seen from an outlier a thousand times as far off, the whole bulk looks like one eigenvalue with a gap."""
    values = np.r_[0.01 * np.random.default_rng(3).normal(size=300), 5.0]
    for seed in range(20):
        found = extreme_eigenvalues(with_eigenvalues(values), 1, which="smallest", generator=drawing(seed), tolerance=1e-2)
        assert abs(float(found.values[0]) - values.min()) <= max(1e-2 * abs(values.min()), float(found.errors[0]))


def test_float32_keeps_an_honest_error():
    operator = with_eigenvalues(FAMILIES["outliers"])
    single = Dense(operator.matrix.float())
    found = extreme_eigenvalues(single, 2, generator=drawing(), tolerance=1e-12, max_products=60)
    errors = (found.values - torch.tensor([9.0, 5.0])).abs()
    assert (errors <= found.errors).all()
    assert float(found.errors.max()) < 1e-3


def test_too_few_products_are_said():
    found = extreme_eigenvalues(with_eigenvalues(FAMILIES["decades"]), 1, which="smallest", generator=drawing(), tolerance=1e-9, max_products=5)
    assert not found.converged
    assert found.n_products <= 5


def test_zero_and_tiny_operators():
    assert extreme_eigenvalues(Dense(torch.zeros(5, 5, dtype=torch.float64)), 2, generator=drawing()).values.tolist() == [0.0, 0.0]
    assert extreme_eigenvalues(Dense(torch.full((1, 1), -3.0, dtype=torch.float64)), generator=drawing()).values.tolist() == [-3.0]
    whole = extreme_eigenvalues(with_eigenvalues([3.0, 1.0, -2.0]), 3, generator=drawing())
    assert whole.values.tolist() == pytest.approx([3.0, 1.0, -2.0])


def test_an_operator_that_is_not_finite_is_an_answer():
    found = extreme_eigenvalues(Dense(torch.full((4, 4), float("nan"), dtype=torch.float64)), 2, generator=drawing())
    assert found.values.isnan().all()
    assert not found.converged


@pytest.mark.parametrize(("k", "which", "said"), [(0, "largest", "between 1"), (6, "largest", "between 1"), (1, "lagrest", "Did you mean")])
def test_what_cannot_be_is_refused(k, which, said):
    with pytest.raises(UsageError, match=said):
        extreme_eigenvalues(Dense(torch.eye(5, dtype=torch.float64)), k, which=which, generator=drawing())


def test_too_large_names_the_memory_and_the_cheaper_method():
    class Huge(Dense):
        n_entries = 10**13

    huge = Huge(torch.eye(2, dtype=torch.float64))
    huge.n_entries = 10**13
    with pytest.raises(UsageError, match=r"GiB.*k=1.*trace"):
        extreme_eigenvalues(huge, 3, generator=drawing())
