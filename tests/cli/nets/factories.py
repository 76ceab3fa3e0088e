"""What the commands of this folder are asked to look at."""

import torch
from torch import nn

import kazami


def affine():
    """Return three layers without an activation, and an example."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 5), nn.Linear(5, 2)), torch.randn(6, 3)


def bent():
    """Return two layers with a ReLU between, and an example."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)), torch.randn(6, 3)


def training():
    """Return a training with one residual block."""

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 6)

        def forward(self, x):
            return x + torch.tanh(self.f(x))

    def batches():
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(64, 3, generator=generator)
        return [(x, (x.sum(1) > 0).long())]

    return kazami.Training(
        model=lambda: nn.Sequential(nn.Linear(3, 6), Block(), nn.Linear(6, 2)),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), 0.5),
        loss=nn.functional.cross_entropy,
        batches=batches,
        steps=20,
    )
