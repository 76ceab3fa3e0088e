"""Dual numbers, without a warning from torch."""

import torch
from torch.autograd import forward_ad

from kazami.nets.inside.forward_mode import dual_numbers


def test_a_derivative_comes_along():
    with dual_numbers():
        made = torch.sin(forward_ad.make_dual(torch.tensor(0.3), torch.tensor(2.0)))
        assert torch.isclose(forward_ad.unpack_dual(made).tangent, 2 * torch.cos(torch.tensor(0.3)))
    assert torch.is_grad_enabled()
