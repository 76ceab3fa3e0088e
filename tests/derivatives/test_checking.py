"""Cases in which the gradient or the loss depends on more than the weights: state kept between passes, and kernels outside torch."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami import gradcheck

BATCH = (torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), torch.randn(5, 3, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("keeps_in_module", [True, False])
def test_what_is_kept_from_an_earlier_pass_is_found(keeps_in_module):
    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, slope):
            ctx.save_for_backward(slope)
            return torch.sin(x)

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0], None

    kept = {}

    class Stale(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.slope = nn.Linear(4, 3), None

        def forward(self, x):
            total = self.layer(x)
            if not keeps_in_module:
                return Sine.apply(total, kept.setdefault("slope", torch.cos(total).detach()))
            self.slope = torch.cos(total).detach() if self.slope is None else self.slope
            return Sine.apply(total, self.slope)

    torch.manual_seed(0)
    found = gradcheck(Stale(), F.mse_loss, BATCH)
    assert not found.ok
    assert "earlier forward pass" in found.hints[0].en


def test_a_power_iteration_that_has_not_come_to_rest_is_no_fault():
    torch.manual_seed(0)
    normed = nn.utils.parametrizations.spectral_norm(nn.Linear(8, 6))
    found = gradcheck(nn.Sequential(normed, nn.Tanh(), nn.Linear(6, 3)), F.mse_loss, (torch.randn(6, 8), torch.randn(6, 3)))
    assert found.ok, str(found)


def test_a_loss_that_reads_its_own_running_average_has_a_true_fault():
    class Centred(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 3)
            self.register_buffer("average", torch.zeros(3))

        def forward(self, x):
            out = self.layer(x)
            self.average = (0.9 * self.average + 0.1 * out.mean(0)).detach()
            return out - self.average

    torch.manual_seed(0)
    assert not gradcheck(Centred(), F.mse_loss, BATCH).ok


def test_a_kernel_outside_torch_that_computes_in_float32_is_judged_by_its_noise():
    import numpy as np

    class Kernel(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.out, ctx.factor = torch.from_numpy(np.tanh(x.detach().numpy().astype(np.float32))).to(x.dtype), factor
            return ctx.out.clone()

        @staticmethod
        def backward(ctx, grad):
            return ctx.factor * grad * (1 - ctx.out**2), None

    class Model(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.layer, self.factor = nn.Linear(4, 3), factor

        def forward(self, x):
            return Kernel.apply(self.layer(x), self.factor)

    torch.manual_seed(0)
    assert gradcheck(Model(1.0), F.mse_loss, BATCH).ok
    assert not gradcheck(Model(1.02), F.mse_loss, BATCH).ok
