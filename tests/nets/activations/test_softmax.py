"""Softmax: a distribution."""

import math

import pytest
import torch

from kazami.errors import UsageError
from kazami.nets.catalogue.entries import activation
from kazami.nets.catalogue.vectors import VectorProfile


def test_of_seven_states():
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0], dtype=torch.float64)
    shares = activation("softmax").function(x)
    assert [round(share, 4) for share in shares.tolist()] == [0.0236, 0.0643, 0.1747, 0.4748, 0.0236, 0.0643, 0.1747]
    assert shares.sum().item() == pytest.approx(1, rel=1e-15)


def test_jacobian_norm_is_at_most_one_half():
    """‖diag(p) − p pᵀ‖ ≤ max 2 pᵢ (1 − pᵢ) by Gershgorin's circles, so at most 1/2; two equal leaders reach it."""
    softmax = activation("softmax")
    assert softmax.jacobian_norm_max == pytest.approx(0.5, abs=1e-15)
    x = torch.randn(300, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3
    norms = VectorProfile(softmax.function, size=6).jacobian_norms(x)
    p = softmax.function(x)
    expected = torch.linalg.matrix_norm(torch.diag_embed(p) - p[:, :, None] * p[:, None, :], 2)
    torch.testing.assert_close(norms, expected, rtol=1e-12, atol=1e-14)
    assert norms.max() < 0.5


def test_range_and_invariances():
    softmax = activation("softmax")
    assert str(softmax.range) == "(0, 1)"
    assert set(softmax.invariances) == {"shift invariant", "permutation equivariant", "sums to one"}


def test_has_no_gain_of_its_own_and_no_scalar_losses():
    assert math.isnan(activation("softmax").gain)
    with pytest.raises(UsageError, match="several numbers"):
        activation("softmax").information_loss()
