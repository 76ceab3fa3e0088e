"""The line clears the gradients."""

import torch

from kazami.cures.zero_grad import ZeroGrad
from tests.cures.cases import finding, prescribed, trace


def test_gradients_are_gone_afterwards():
    weight = torch.ones(2, requires_grad=True)
    weight.sum().backward()
    exec(prescribed(ZeroGrad(), finding("no_zero_grad"), trace()).code, {"optimizer": torch.optim.SGD([weight], lr=0.1)})
    assert weight.grad is None
