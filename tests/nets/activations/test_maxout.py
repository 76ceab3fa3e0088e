"""Maxout: the largest of a group."""

import math

import pytest
import torch

from kazami.nets.catalogue.entries import activation


def test_takes_the_largest_of_each_group_of_neighbours():
    x = torch.tensor([[1.0, 5.0, -2.0, -3.0, 0.0, 0.0]])
    assert activation("maxout").module()(x).tolist() == [[5.0, -2.0, 0.0]]
    assert activation("maxout", pieces=3).module()(x).tolist() == [[5.0, 0.0]]


def test_moments_of_the_larger_of_two_normal_numbers():
    """E max = 1/√π and E max² = 1."""
    maxout = activation("maxout")
    assert maxout.mean == pytest.approx(1 / math.sqrt(math.pi), rel=1e-13)
    assert maxout.second_moment == pytest.approx(1, rel=1e-13)


def test_passes_the_whole_gradient_to_one_piece():
    assert activation("maxout").jacobian_norm_max == 1
    assert set(activation("maxout").invariances) == {"shift equivariant", "homogeneous of degree 1", "permutation invariant"}
