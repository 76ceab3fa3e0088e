"""Hebb's rule grows at the rate of the largest eigenvalue; Oja's finds its eigenvector."""

import math

import numpy as np
import pytest
import torch

from kazami.errors import UsageError
from kazami.nets.blocks.plasticity import hebb, oja


def inputs(n: int = 400, seed: int = 0) -> torch.Tensor:
    """Return centred inputs whose covariance has clearly separate eigenvalues."""
    random = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(random.normal(size=(5, 5)))
    x = random.normal(size=(n, 5)) * np.array([2.0, 1.4, 1.0, 0.6, 0.3]) @ directions.T
    return torch.tensor(x - x.mean(axis=0))


def eigen(x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues, largest first, and eigenvectors as rows, by NumPy."""
    values, vectors = np.linalg.eigh(x.numpy().T @ x.numpy() / len(x))
    return values[::-1], vectors.T[::-1]


def test_oja_finds_the_first_principal_component():
    x = inputs()
    w = torch.full((5,), 0.1, dtype=torch.float64)
    for _ in range(600):
        w = oja(w, x, rate=0.05)
    _, vectors = eigen(x)
    assert np.linalg.norm(w.numpy()) == pytest.approx(1, abs=1e-10)
    assert abs(w.numpy() @ vectors[0]) == pytest.approx(1, abs=1e-10)


def test_several_oja_neurons_span_the_first_components():
    x = inputs(seed=1)
    w = torch.tensor(np.random.default_rng(0).normal(size=(2, 5)) * 0.1)
    for _ in range(3000):
        w = oja(w, x, rate=0.05)
    _, vectors = eigen(x)
    assert np.allclose(w.numpy().T @ w.numpy(), vectors[:2].T @ vectors[:2], atol=1e-8)  # one projector
    assert np.allclose(w.numpy() @ w.numpy().T, np.eye(2), atol=1e-8)


def test_hebb_diverges_at_the_rate_of_the_largest_eigenvalue():
    x, rate = inputs(), 0.02
    w = torch.full((5,), 0.1, dtype=torch.float64)
    logs = []
    for _ in range(400):
        w = hebb(w, x, rate=rate)
        logs.append(math.log(float(w.norm())))
    values, _ = eigen(x)
    assert np.mean(np.diff(logs)[-50:]) == pytest.approx(math.log1p(rate * values[0]), rel=1e-8)


def test_activity_that_is_given_is_used_and_nothing_is_changed():
    w, x, y = torch.zeros(2, 3, dtype=torch.float64), torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64), torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    assert hebb(w, x, y, rate=0.5).tolist() == [[0.5, 1.0, 1.5], [-0.5, -1.0, -1.5]]
    assert w.abs().sum() == 0


def test_wrong_shapes_are_refused():
    with pytest.raises(UsageError, match="take 3 inputs"):
        hebb(torch.ones(3), torch.ones(2, 4))
    with pytest.raises(UsageError, match="1 neurons"):
        oja(torch.ones(3), torch.ones(2, 3), torch.ones(2, 2))
