"""Signals and gradients through stacks, against NumPy."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.lab.propagation import generator_of, gradient_growth, plain_stack, profile, residual_stack, slope


def test_the_profile_is_the_one_that_numpy_computes():
    stack = plain_stack(nn.Tanh, [5, 7, 3], weight_variance=1.5, bias_variance=0.2, seed=3)
    x = torch.randn(4, 5, dtype=torch.float64, generator=generator_of(1))
    found = profile(stack, x.clone(), seed=2)
    (w1, b1), (w2, b2) = (tuple(part.detach().numpy() for part in block[1].parameters()) for block in stack)
    values = [x.numpy()]
    values.append(np.tanh(values[0]) @ w1.T + b1)
    values.append(np.tanh(values[1]) @ w2.T + b2)
    back = [torch.randn(4, 3, dtype=torch.float64, generator=generator_of(2)).numpy()]
    back.append(back[0] @ w2 * (1 - np.tanh(values[1]) ** 2))
    back.append(back[1] @ w1 * (1 - np.tanh(values[0]) ** 2))
    assert found.signal == pytest.approx([np.mean(value**2) for value in values], rel=1e-12)
    assert found.gradient == pytest.approx([np.mean(value**2) for value in reversed(back)], rel=1e-12)


def test_a_shortcut_adds_what_went_in():
    widths = [4, 4, 4]
    plain = plain_stack(nn.ReLU, widths, weight_variance=2.0, seed=5)
    residual = residual_stack(nn.ReLU, widths, weight_variance=2.0, scale="1/sqrt(L)", seed=5)
    x = torch.randn(3, 4, dtype=torch.float64, generator=generator_of(0))
    middle = x + plain[0](x) / 2**0.5
    assert torch.allclose(residual(x), middle + plain[1](middle) / 2**0.5, rtol=1e-13)


@pytest.mark.parametrize("shortcut", ["zero_pad", "projection"])
def test_only_growing_blocks_get_the_other_shortcut(shortcut):
    stack = residual_stack(nn.ReLU, [4, 4, 6], weight_variance=1.0, shortcut=shortcut, seed=0)
    x = torch.zeros(1, 4, dtype=torch.float64)
    x[0, 0] = -1.0  # ReLU lets nothing through: the shortcut is all there is
    assert torch.equal(stack[0](x), x)
    expected = torch.cat([x, torch.zeros(1, 2, dtype=torch.float64)], 1) if shortcut == "zero_pad" else stack[1].residual_sum.projection(x)
    assert torch.allclose(stack[1](x), expected)


def test_weights_have_the_variance_asked_for():
    stack = plain_stack(nn.ReLU, [400, 400], weight_variance=3.0, bias_variance=0.5, seed=1)
    assert float(stack[0][1].weight.detach().var()) == pytest.approx(3.0 / 400, rel=3 * (2 / 160000) ** 0.5)
    assert float(stack[0][1].bias.detach().var()) == pytest.approx(0.5, rel=3 * (2 / 400) ** 0.5)


def test_no_global_generator_is_moved():
    before = torch.get_rng_state()
    residual_stack(nn.ReLU, [4, 6], weight_variance=1.0, shortcut="projection", seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_slopes():
    assert slope(np.array([9.0, 1.0, 2.0, 3.0, -9.0]), skip=1) == pytest.approx(1.0)
    assert gradient_growth(np.exp([0.0, -2.0, -4.0])) == pytest.approx(2.0)  # larger towards the input: it grows on its way back
