"""ReLU: half of everything."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

from kazami.nets.catalogue.entries import activation


def test_gain_is_the_square_root_of_two_as_pytorch_says():
    relu = activation("relu")
    assert relu.gain == pytest.approx(math.sqrt(2), rel=1e-14)
    assert relu.gain == pytest.approx(relu.torch_gain, rel=1e-14)
    assert relu.gradient_gain == pytest.approx(math.sqrt(2), rel=1e-14)
    assert relu.mean == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-14)


def test_is_dead_below_zero_and_itself_above():
    relu = activation("relu")
    assert [str(zone) for zone in relu.dead_zones] == ["(−∞, 0)"]
    assert [str(piece) for piece in relu.fixed_points] == ["[0, ∞)"]
    assert (str(relu.range), relu.monotone, relu.kinks, relu.smoothness) == ("[0, ∞)", "increasing", (0.0,), 0)


def test_loses_half_of_the_states_and_the_information_in_them():
    """All states up to zero become one: lost is their share times the entropy among them, written down here once more from normal distribution functions."""
    lost = activation("relu").information_loss(bits=6)
    delta = 2.0**-6
    k = np.arange(-9 * 64, 1)
    weight = ndtr((k + 0.5) * delta) - ndtr((k - 0.5) * delta)
    share = weight.sum()
    assert lost.lost == pytest.approx(-(weight * np.log2(weight / share)).sum(), rel=1e-9)
    assert lost.states_after == (lost.states_before + 1) // 2
    assert activation("relu").information_loss(bits=6, depth=7).lost == lost.lost


def test_gradient_fades_by_half_a_power_of_two_per_layer_and_not_at_all_with_his_weights():
    relu = activation("relu")
    assert relu.gradient_loss(depth=30).decades == pytest.approx(15 * math.log10(2), rel=1e-12)
    assert relu.gradient_loss(depth=30, weight_variance=2.0).decades == pytest.approx(0, abs=1e-12)
