"""Quick GELU: a Swish in disguise."""

import pytest
import torch

from kazami.nets.catalogue.entries import activation


def test_is_the_swish_of_beta_1702():
    x = torch.linspace(-6, 6, 101, dtype=torch.float64)
    swish, quick = activation("silu", beta=1.702), activation("quick_gelu")
    assert torch.equal(swish.function(x), quick.function(x))
    assert quick.derivative_max == pytest.approx(activation("silu").derivative_max, rel=1e-14)


def test_lowest_value_is_that_of_silu_divided_by_beta():
    assert activation("quick_gelu").range.low == pytest.approx(activation("silu").range.low / 1.702, rel=1e-14)
    assert str(activation("gelu_sigmoid").range).endswith("∞)")
