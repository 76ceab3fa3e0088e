"""The closed form of linear least squares equals NumPy's, scikit-learn's, and the limit of gradient descent."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from kazami.derivatives import closed_form
from kazami.errors import UsageError

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(30, 4)), DRAW.normal(size=(30, 2))


def test_it_is_scikit_learns_linear_regression():
    theirs, found = LinearRegression().fit(X, Y), closed_form(X, Y)
    np.testing.assert_allclose(found.weights, theirs.coef_.T, atol=1e-12)
    np.testing.assert_allclose(found.bias, theirs.intercept_, atol=1e-12)
    assert found.gradient_norm < 1e-14
    assert found.is_unique


def test_ridge_is_scikit_learns_and_leaves_the_bias_alone():
    found, theirs = closed_form(X, Y, ridge=0.1), Ridge(alpha=0.1 * len(X)).fit(X, Y)
    np.testing.assert_allclose(found.weights, theirs.coef_.T, atol=1e-12)
    np.testing.assert_allclose(found.bias, theirs.intercept_, atol=1e-12)


@pytest.mark.parametrize("inputs", [np.hstack([X, X[:, :1]]), DRAW.normal(size=(30, 50))], ids=["doubled column", "wide"])
def test_of_many_solutions_it_is_the_one_of_smallest_norm(inputs):
    found = closed_form(inputs, Y, bias=False)
    np.testing.assert_allclose(found.weights, np.linalg.pinv(inputs) @ Y, atol=1e-10)
    assert not found.is_unique
    assert found.rank == np.linalg.matrix_rank(inputs)


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"ridge": 0.05}])
@pytest.mark.parametrize("inputs", [X, np.hstack([X, X[:, :1]]), 3 * X + 1], ids=["plain", "doubled column", "shifted"])
def test_descent_from_zero_ends_there_at_the_rate_of_the_eigenvalues(inputs, options):
    found = closed_form(inputs, Y, **options)
    descent = found.descend(60)
    np.testing.assert_allclose(descent.distances, descent.predicted, rtol=1e-6, atol=1e-12)
    long = found.descend(int(20 * found.condition) + 100)
    np.testing.assert_allclose(long.weights, found.weights, atol=1e-8)
    np.testing.assert_allclose(long.bias, found.bias, atol=1e-8)
    assert long.losses[-1] == pytest.approx(found.loss, abs=1e-12)


def test_the_rate_is_that_of_the_slowest_eigenvalue():
    found = closed_form(X * [1, 2, 4, 8], Y)
    values = found.eigenvalues
    descent = found.descend(100, learning_rate=1 / values[0])
    assert descent.predicted_rate == pytest.approx(1 - values[-1] / values[0])
    assert descent.rate == pytest.approx(descent.predicted_rate, rel=0.02)


def test_above_two_over_the_largest_eigenvalue_it_diverges():
    found = closed_form(X, Y)
    assert found.descend(200, learning_rate=1.9 / found.eigenvalues[0]).distances[-1] < 1e-4
    assert found.descend(200, learning_rate=2.1 / found.eigenvalues[0]).distances[-1] > 10


def test_the_eigenvalues_are_those_of_the_hessian_by_torch():
    import torch

    rows, targets = torch.from_numpy(X), torch.from_numpy(Y[:, 0])
    hessian = torch.autograd.functional.hessian(lambda w: ((rows @ w - targets) ** 2).mean(), torch.zeros(4, dtype=torch.float64))
    np.testing.assert_allclose(closed_form(X, Y[:, 0], bias=False).eigenvalues, np.linalg.eigvalsh(hessian.numpy())[::-1], atol=1e-12)


@pytest.mark.parametrize(("inputs", "targets", "options"), [(X, Y[:5], {}), (X[0], Y, {}), (X, Y, {"ridge": -1.0}), (X * np.nan, Y, {})])
def test_what_does_not_fit_is_said(inputs, targets, options):
    with pytest.raises(UsageError):
        closed_form(inputs, targets, **options)
