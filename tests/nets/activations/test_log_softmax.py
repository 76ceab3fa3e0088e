"""Log-softmax: the logarithm, without overflow."""

import math

import pytest
import torch

from kazami.nets.catalogue.entries import activation
from kazami.nets.catalogue.vectors import VectorProfile


@pytest.mark.parametrize("size", [2, 3, 5])
def test_jacobian_norm_is_at_most_the_root_of_the_size(size):
    """J = I − 1 pᵀ; with p a corner, J Jᵀ has the eigenvalue n."""
    profile = VectorProfile(activation("log_softmax").function, size=size)
    assert profile.jacobian_norm_max == pytest.approx(math.sqrt(size), rel=1e-12)


def test_stays_exact_where_softmax_is_rounded_to_zero():
    x = torch.tensor([0.0, 1000.0], dtype=torch.float64)
    assert activation("logsoftmax").function(x).tolist() == [-1000.0, 0.0]


def test_range_and_invariances():
    one = activation("log_softmax")
    assert str(one.range) == "(−∞, 0)"
    assert set(one.invariances) == {"shift invariant", "permutation equivariant", "exponentials sum to one"}
